#!/usr/bin/env node
/** Stands in for journalctl over a file in export format that grows: $FAKE_JOURNAL. */
/* global Buffer */
import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import process from 'node:process';
import { setInterval } from 'node:timers';

const file = process.env.FAKE_JOURNAL;
const argument = (name) => process.argv.find((arg) => arg.startsWith(name))?.slice(name.length);
const cursor = argument('--cursor=');
const since = Number(argument('--since=@') ?? 0) * 1e6;

let text = readFileSync(file, 'latin1');
const entries = text.slice(0, text.lastIndexOf('\n\n') + 2);
let at = cursor === undefined ? 0 : entries.indexOf(`__CURSOR=${cursor}\n`);
if (at < 0) at = entries.length;
while (cursor === undefined && at < entries.length) {
  const stamp = /__REALTIME_TIMESTAMP=(\d+)/.exec(entries.slice(at, at + 300));
  if (stamp === null || Number(stamp[1]) >= since) break;
  at = entries.indexOf('\n\n', at) + 2;
}

function write(bytes) {
  for (let done = 0; done < bytes.length;) {
    try {
      done += writeSync(1, bytes, done);
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
    }
  }
}

write(Buffer.from(entries.slice(at), 'latin1'));
let offset = entries.length;
if (process.argv.includes('--follow')) {
  setInterval(() => {
    const fd = openSync(file, 'r');
    const buffer = Buffer.alloc(1 << 20);
    const length = readSync(fd, buffer, 0, buffer.length, offset);
    closeSync(fd);
    const end = buffer.toString('latin1', 0, length).lastIndexOf('\n\n') + 2;
    if (end < 2) return;
    write(buffer.subarray(0, end));
    offset += end;
  }, 10);
}
