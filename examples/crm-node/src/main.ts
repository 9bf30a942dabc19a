// Calls the people in a CSV file and keeps what becomes of it in another, the "CRM", until it is stopped.
//
//   node dist/main.js LEADS.csv CRM.json
//
// LEADS.csv: a header line with the columns id and phone, then one person a line. CRM.json: made if it is not there; all that this program keeps.
// Environment: CALLBRIDGE_ADDRESS (127.0.0.1:50051), CALLBRIDGE_PROTOS (the folder that has callbridge/v1), CALLBRIDGE_TOKEN, CALLBRIDGE_CA (a PEM file: TLS).
//
// Both programs may be stopped at any moment, also by kill -9, and started again. Nobody is called twice, since a person's request_id is on the disk before
// callbridge is asked; and nothing is missed or applied twice, since what an event changes and the cursor behind it are written at once.

import { readFileSync } from "node:fs";
import { Callbridge } from "./callbridge.js";
import { Crm, readLeads } from "./crm.js";
import { findPresent, follow, sleep } from "./events.js";

const [leadsPath, crmPath] = process.argv.slice(2);
if (leadsPath === undefined || crmPath === undefined) {
  console.error("usage: node dist/main.js LEADS.csv CRM.json");
  process.exit(2);
}

const crm = new Crm(crmPath);
for (const { id, phone } of readLeads(leadsPath)) crm.addPerson(id, phone);

const callbridge = new Callbridge({
  address: process.env.CALLBRIDGE_ADDRESS ?? "127.0.0.1:50051",
  protos: process.env.CALLBRIDGE_PROTOS ?? "../../proto",
  token: process.env.CALLBRIDGE_TOKEN,
  rootCertificates: process.env.CALLBRIDGE_CA === undefined ? undefined : readFileSync(process.env.CALLBRIDGE_CA),
});

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.abort());

async function callEverybody(): Promise<void> {
  for (const person of crm.peopleToCall()) {
    if (stop.signal.aborted) return;
    try {
      const call = await callbridge.startCall(person.requestId, person.phone, { crm_id: person.id });
      crm.called(person.id, call);
      console.log(`${person.id}: ${call}`);
    } catch (error) {
      const failure = callbridge.explain(error);
      // Asked again, with the same request_id: for as long as it takes, or by the next start of this program.
      if (failure.passing) {
        console.log(`${person.id}: ${failure.reason}, asking again`);
        await sleep(1_000, stop.signal);
        return callEverybody();
      }
      crm.refused(person.id, failure.reason);
      console.log(`${person.id}: refused, ${failure.reason}`);
    }
  }
}

try {
  // In this order: the cursor is from before the first call, and no event is looked at before it is known whose call it is of.
  const log = (line: string) => console.log(line);
  await findPresent(callbridge, crm, stop.signal, log);
  await callEverybody();
  await follow(callbridge, crm, stop.signal, log);
} catch (error) {
  console.error(callbridge.explain(error).message);
  process.exitCode = 1;
} finally {
  stop.abort();
  callbridge.close();
}
