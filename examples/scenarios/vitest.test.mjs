import { scenarios } from 'tls-resume/testing';
import { it } from 'vitest';
import { myClient } from './my-client.mjs';

for (const s of scenarios.forClients()) it(`${s.id}: ${s.title}`, (context) => s.judge(myClient, context));
