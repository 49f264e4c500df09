import { it } from 'node:test';
import { scenarios } from 'tls-resume/testing';
import { myClient } from './my-client.mjs';

for (const s of scenarios.forClients()) it(`${s.id}: ${s.title}`, (t) => s.judge(myClient, t));
