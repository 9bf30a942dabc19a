// What stands for the CRM: people and what became of their calls, in one file that is always whole.

import { randomUUID } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";

export interface Person {
  id: string;
  phone: string;
  requestId: string; // Made once: StartCall with it calls once, however often it is asked.
  call?: string;
  refused?: string;
  ended?: string;
  summary?: string;
  applied: number; // The sequence of the latest event that was applied. What is not above it has been.
  events: number; // How many were: as many, if nothing was lost or applied twice.
}

interface State {
  cursor: string;
  people: Person[];
}

/** An event, as far as this program looks into it. */
export interface CallEvent {
  call: string;
  sequence: string;
  cursor: string;
  type: string;
  call_ended?: { end?: { reason?: string } };
  summary_ready?: { summary?: string };
}

/** The people of a CSV file with the columns id and phone. */
export function readLeads(path: string): { id: string; phone: string }[] {
  const [header, ...lines] = readFileSync(path, "utf8").split(/\r?\n/).filter((line) => line.trim() !== "");
  const columns = (header ?? "").split(",").map((name) => name.trim());
  const [id, phone] = [columns.indexOf("id"), columns.indexOf("phone")];
  if (id < 0 || phone < 0) throw new Error(`${path}: the first line must name the columns id and phone`);
  return lines.map((line, index) => {
    const cells = line.split(",").map((cell) => cell.trim());
    if (!cells[id] || !cells[phone]) throw new Error(`${path}:${index + 2}: id or phone is missing`);
    return { id: cells[id], phone: cells[phone] };
  });
}

export class Crm {
  private readonly state: State;

  constructor(private readonly path: string) {
    this.state = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : { cursor: "", people: [] };
  }

  get cursor(): string {
    return this.state.cursor;
  }

  addPerson(id: string, phone: string): void {
    if (this.state.people.some((person) => person.id === id)) return;
    this.state.people.push({ id, phone, requestId: randomUUID(), applied: 0, events: 0 });
    this.save();
  }

  /** Those for whom callbridge has not answered yet. */
  peopleToCall(): Person[] {
    return this.state.people.filter((person) => person.call === undefined && person.refused === undefined);
  }

  called(id: string, call: string): void {
    this.person((person) => person.id === id, (person) => (person.call = call));
    this.save();
  }

  refused(id: string, reason: string): void {
    this.person((person) => person.id === id, (person) => (person.refused = reason));
    this.save();
  }

  /** Applies an event, once, and moves the cursor behind it. */
  apply(event: CallEvent): void {
    const sequence = Number(event.sequence);
    this.person((person) => person.call === event.call, (person) => {
      if (sequence <= person.applied) return;
      person.applied = sequence;
      person.events += 1;
      if (event.type === "call_ended") person.ended = event.call_ended?.end?.reason ?? "";
      if (event.type === "summary_ready") person.summary = event.summary_ready?.summary ?? "";
      if (event.type === "summary_failed") person.summary = "";
    });
    this.moveTo(event.cursor);
  }

  moveTo(cursor: string): void {
    if (cursor === "" || cursor === this.state.cursor) return;
    this.state.cursor = cursor;
    this.save();
  }

  private person(which: (person: Person) => boolean, change: (person: Person) => void): void {
    const found = this.state.people.find(which);
    if (found !== undefined) change(found);
  }

  /** All or nothing: a reader, or the next start, sees the file before or after, never in between. */
  private save(): void {
    const file = openSync(`${this.path}.new`, "w");
    writeSync(file, JSON.stringify(this.state, null, 2));
    fsyncSync(file);
    closeSync(file);
    renameSync(`${this.path}.new`, this.path);
  }
}
