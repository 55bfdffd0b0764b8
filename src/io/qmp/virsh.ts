/** QMP through libvirt, which keeps the socket to itself: one run of virsh a command (virsh(1), qemu-monitor-command). */
import type { QmpAddress } from '../../core/qmp-address.js';
import { isObject } from '../../core/qmp/codec.js';
import { virshFault } from '../../core/qmp/virsh-faults.js';
import { printable } from '../../core/printable.js';
import { runGroup, type GroupResult } from '../process-group.js';
import { QmpError } from './error.js';
import type { QmpOptions, QmpSession } from './session.js';

type Domain = Extract<QmpAddress, { kind: 'libvirt' }>;

/** Whether libvirt itself answers is asked after QEMU's deadline, within the one of a look. */
const STATE_MS = 500;
/** A run of virsh takes 70 ms on an idle host: a session is many of them. */
const SESSION_MS = 1_500;
const ANSWER_MAX = 1 << 20;
const CHILD_GRACE_MS = 50;

/** libvirt serves all its clients by turns: nothing is held between two commands. */
export async function withDomain<T>(
  address: string,
  domain: Domain,
  options: QmpOptions,
  body: (session: QmpSession) => Promise<T>,
): Promise<T> {
  options.signal?.throwIfAborted();
  const { timeoutMs, holdMs = 0 } = options;
  const started = performance.now();
  const left = () => Math.max(0, Math.max(holdMs, SESSION_MS) - (performance.now() - started));
  const execute = async (command: string, args?: object) => {
    const said = await ask(domain, command, args, timeoutMs, options.signal);
    options.signal?.throwIfAborted();
    return replyOf(address, command, said, await whoIsStuck(domain, said, options.signal));
  };
  return body({ events: [], execute, left });
}

const virsh = ({ uri }: Domain, words: readonly string[]): string[] => [
  ...(uri === null ? [] : ['--connect', uri]),
  '--quiet',
  ...words,
];

/** The messages are read: in the words of no other language. */
const environment = () => ({ ...process.env, LC_ALL: 'C' });

export function runVirsh(
  domain: Domain,
  words: readonly string[],
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<GroupResult> {
  return runGroup('virsh', virsh(domain, words), {
    timeoutMs,
    signal,
    env: environment(),
    maxOutput: ANSWER_MAX,
    graceMs: CHILD_GRACE_MS,
  });
}

function ask(
  domain: Domain,
  command: string,
  args: object | undefined,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<GroupResult> {
  const order = JSON.stringify({ execute: command, ...(args && { arguments: args }) });
  return runVirsh(
    domain,
    ['qemu-monitor-command', '--domain', domain.domain, '--cmd', order],
    timeoutMs,
    signal,
  );
}

/** libvirt knows the state of a domain without asking QEMU: where it tells that and nothing more, QEMU does not answer. */
async function whoIsStuck(
  domain: Domain,
  { stopped, late }: GroupResult,
  signal: AbortSignal | undefined,
): Promise<'qemu' | 'libvirt'> {
  if (stopped !== 'deadline' || late === true) return 'libvirt';
  const { exitCode } = await runVirsh(domain, ['domstate', '--domain', domain.domain], STATE_MS, signal);
  return exitCode === 0 ? 'qemu' : 'libvirt';
}

function replyOf(address: string, sent: string, said: GroupResult, stuck: 'qemu' | 'libvirt'): unknown {
  const { stdout, stderr, exitCode, stopped, startFailure, late } = said;
  const fail = (fault: QmpError['fault'], what: string, received?: string) =>
    new QmpError(fault, address, what, {
      sent,
      ...(received !== undefined && { received: printable(received, 300) }),
      ...(late && { late }),
    });
  if (startFailure === 'ENOENT') throw fail('no-libvirt', 'virsh is not installed');
  if (startFailure !== null) throw fail('no-resources', 'virsh does not start', startFailure);
  if (stopped === 'deadline')
    throw stuck === 'qemu'
      ? fail('main-loop-stuck', `libvirt gets no reply to ${sent} from QEMU`)
      : fail('no-libvirt', `libvirt does not answer ${sent}`);
  if (exitCode !== 0) throw fail(virshFault(stderr), 'libvirt answers', stderr.trim());
  return valueOf(stdout, fail);
}

function valueOf(
  stdout: string,
  fail: (fault: QmpError['fault'], what: string, received?: string) => QmpError,
) {
  let answer: unknown;
  try {
    answer = JSON.parse(stdout);
  } catch {
    throw fail('protocol', 'virsh prints no answer of QMP', stdout.slice(0, 120));
  }
  if (isObject(answer) && 'return' in answer) return answer['return'];
  const error = isObject(answer) ? answer['error'] : null;
  if (!isObject(error)) throw fail('protocol', 'virsh prints no answer of QMP', stdout.slice(0, 120));
  const [kind, words] = [error['class'], error['desc']].map((word) => (typeof word === 'string' ? word : ''));
  throw fail('refused', 'QEMU answers', `${kind ?? ''}: ${words ?? ''}`);
}
