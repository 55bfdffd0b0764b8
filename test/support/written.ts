import { openIncident } from '../../src/io/archive/writer.js';
import { opening, rawRow } from '../fixtures/archive-sample.js';

/** The files of an incident that `written` began and that was filed with all its parts. */
export const ALL = [
  ...['console.raw', 'console.txt', 'host.json', 'incident.json', 'report.html', 'stacks.folded'],
  ...[
    'stacks.speedscope.json',
    'stacks.txt',
    'sysrq-t.txt',
    'sysrq-w.1.txt',
    'timeline.jsonl',
    'verdict.txt',
  ],
];

/** An incident that is being written: two rows of console, two dumps. */
export async function written(root: string) {
  const writer = await openIncident(root, opening());
  await writer.raw(rawRow(0));
  void writer.dumpLine('sysrq-w.1', 'sysrq: Show Blocked State');
  void writer.dumpLine('sysrq-w.1', 'task:\u001b[31mevil\u202e state:D');
  void writer.raw(rawRow(1));
  await writer.dump('sysrq-t', ['sysrq: Show State', 'task:chroot state:D']);
  return writer;
}
