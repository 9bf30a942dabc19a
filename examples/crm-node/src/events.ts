// Follows what happens to the calls, whatever breaks in between.

import type { Callbridge } from "./callbridge.js";
import type { Crm } from "./crm.js";

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;
const SILENCE_MS = 45_000; // Three heartbeats.

/** Gives a CRM that has no cursor yet the one of now. */
export async function findPresent(callbridge: Callbridge, crm: Crm, stop: AbortSignal, log: (line: string) => void): Promise<void> {
  await goOn(() => crm.cursor !== "", callbridge, crm, stop, log);
}

/** Until `stop`. */
export async function follow(callbridge: Callbridge, crm: Crm, stop: AbortSignal, log: (line: string) => void): Promise<void> {
  await goOn(() => false, callbridge, crm, stop, log);
}

// Reads streams, one after the other, until `enough` or `stop`. Throws what going on cannot mend.
async function goOn(enough: () => boolean, callbridge: Callbridge, crm: Crm, stop: AbortSignal, log: (line: string) => void): Promise<void> {
  let pause = FIRST_PAUSE_MS;
  while (!enough() && !stop.aborted) {
    const cursor = crm.cursor;
    try {
      await readOneStream(enough, callbridge, crm, stop);
    } catch (error) {
      const failure = callbridge.explain(error);
      const oldest = failure.metadata.oldest_cursor;
      if (oldest !== undefined) {
        // CURSOR_EXPIRED or CURSOR_LOST: events are gone. A CRM that may miss nothing reads the calls themselves here, with GetCall; this one goes on where
        // there are events again.
        crm.moveTo(oldest);
      } else if (!failure.passing) {
        throw error;
      }
      log(`the stream broke (${failure.reason}), going on`);
    }
    if (enough()) return;
    if (crm.cursor !== cursor) pause = FIRST_PAUSE_MS;
    await sleep(pause * (0.8 + 0.4 * Math.random()), stop);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

async function readOneStream(enough: () => boolean, callbridge: Callbridge, crm: Crm, stop: AbortSignal): Promise<void> {
  const stream = callbridge.callEvents(crm.cursor);
  const cancel = () => stream.cancel();
  let silence = setTimeout(cancel, SILENCE_MS);
  stop.addEventListener("abort", cancel);
  try {
    for await (const message of stream) {
      clearTimeout(silence);
      silence = setTimeout(cancel, SILENCE_MS);
      if (message.event) crm.apply(message.event);
      else crm.moveTo((message.caught_up ?? message.heartbeat)?.cursor ?? "");
      if (enough() || stop.aborted) return;
    }
  } finally {
    clearTimeout(silence);
    stop.removeEventListener("abort", cancel);
    stream.on("error", () => {}); // The one that cancelling makes.
    stream.cancel();
  }
}

/** Until then, or `stop`. */
export function sleep(milliseconds: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    function done(): void {
      clearTimeout(timer);
      stop.removeEventListener("abort", done);
      resolve();
    }
    stop.addEventListener("abort", done);
  });
}
