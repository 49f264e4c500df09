import { scenarios } from 'tls-resume/testing';
import { myClient } from './my-client.mjs';

for (const s of scenarios.forClients())
  it(`${s.id}: ${s.title}`, function () {
    return s.judge(myClient, this);
  });
