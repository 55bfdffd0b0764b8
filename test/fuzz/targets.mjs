/** What is fuzzed: each reader of hostile bytes, what its inputs are made of, and what must hold for every one. */
/* global URL, TextDecoder */
import { Buffer } from 'node:buffer';
import { readdirSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { goldenNames, readGolden } from '../golden/golden.mjs';
import { LOG_WORDS } from './mutate.mjs';
import { memory } from './memory-target.mjs';
import { reshaped } from './reshape.mjs';

const read = (path) => readFileSync(new URL(path, import.meta.url));

function assert(holds, what) {
  if (!holds) throw new Error(`broken: ${what}`);
}

/** The bytes as they arrive, cut anywhere; now and then byte by byte. */
function pieces(bytes, { below }) {
  const cuts =
    below(50) === 0
      ? Array.from({ length: Math.min(bytes.length, 4096) }, (_, at) => at)
      : Array.from({ length: below(5) }, () => below(bytes.length)).sort((a, b) => a - b);
  return [0, ...cuts].map((from, at) => bytes.subarray(from, cuts[at] ?? bytes.length));
}

const EXPORT_WORDS = [
  '\n', '\n\n', '=', '\0', 'MESSAGE\n', 'MESSAGE=', 'MESSAGE=\n', '__CURSOR=', '__CURSOR\n', '__CURSOR=x\n', '_BOOT_ID=\n',
  '__REALTIME_TIMESTAMP=', '__REALTIME_TIMESTAMP=1\n', '__MONOTONIC_TIMESTAMP=9\n', '__SEQNUM=1\n', 'A\n\x05\0\0\0\0\0\0\0a\nb=c\n',
  'MESSAGE\n\x03\0\0\0\0\0\0\0\n\n\n\n', '__CURSOR\n\x01\0\0\0\0\0\0\0x\n', 'B\n\0\0\0\0\0\0\0\0\n', 'C\n\0\0\0\x20\0\0\0\0',
  'D\n\0\0\0\0\x01\0\0\0', 'E\n\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f', 'F\n\0\0\0\x02\0\0\0\0', 'X=1\n'.repeat(1100), 'X\n\x01\0\0\0\0\0\0\0y\n'.repeat(1100),
]; // prettier-ignore

/** Says what the parser is documented to throw; anything else is a failure of its own. */
const NO_EXPORT = /^journalctl(?:'s output is| prints) /;

async function exportDecoder(load) {
  const { ExportParser } = await load('core/journal/export-format');
  const decode = (chunks) => {
    const parser = new ExportParser();
    const entries = [];
    try {
      for (const chunk of chunks) entries.push(...parser.push(chunk));
      return { entries, problem: null, leftOut: parser.leftOut };
    } catch (error) {
      if (!(error instanceof Error) || !NO_EXPORT.test(error.message)) throw error;
      return { entries: [], problem: error.message };
    }
  };
  const journals = new URL('../golden/journal/', import.meta.url);
  return {
    material: {
      texts: readdirSync(journals).map((name) => readFileSync(new URL(name, journals))),
      end: '\n\n',
      words: EXPORT_WORDS,
    },
    run(bytes, random) {
      const whole = decode([bytes]);
      assert(isDeepStrictEqual(decode(pieces(bytes, random)), whole), 'entries depend on where chunks end');
      if (whole.problem !== null) return whole.problem.replace(/ (?:a|near field) .*| without .*/s, '');
      return whole.leftOut > 0 ? 'left out' : whole.entries.length > 0 ? 'entries' : 'no entry';
    },
  };
}

const CONSOLE_WORDS = [
  ...LOG_WORDS, '\r\n', '\u001b[2J', '\u001b[0;32m', '\u001b[999999', '\u001b]0;title\u0007', '\u001b]8;;http://x\u001b\\',
  '\u001b]', '\u001bP', '\u001bX', '\u001b^', '\u001b_', '\u001bk', '\u009b', '\u009d', '\u001b[?25l', '\u001b(B', '\u001b7', '\u202e',
  '\u2066', '\u061c', '\u200b', '\ufeff', '\u{e0041}', '\u2028', '\u3164', '\ufe0f', '\u{1f600}', '\t', '\b\b\b', '\x7f', '[  OK  ] ',
  '[    9.000001] ', '[   12.345678][ C1] ', ' kernel: [   12.345678] ', '[1.234567] ', '[ '.repeat(3000), '\u001b['.repeat(3000),
  '\u001b]'.repeat(3000), '\r'.repeat(3000), '\u001b'.repeat(5000), '[   1.000000] '.repeat(300), 'x'.repeat(5000), '\u{1f600}'.repeat(2100),
  ' '.repeat(49152), 'y'.repeat(49152),
]; // prettier-ignore

const MAX_LINE = 4096;

async function consoleCleaner(load) {
  const { cleanRow } = await load('core/console/clean');
  const { RowSplitter } = await load('core/console/rows');
  const { replaceUnsafe } = await load('core/printable');
  const split = (chunks) => {
    const splitter = new RowSplitter();
    const rows = chunks.flatMap((chunk) => splitter.push(chunk));
    const last = splitter.flush();
    return last === null ? rows : [...rows, last];
  };
  const isSafe = (line) => replaceUnsafe(line, () => '') === line;
  return {
    material: { texts: consoles(), end: '\n', words: CONSOLE_WORDS },
    run(bytes, random) {
      const rows = split([bytes]);
      const others = split(pieces(bytes, random));
      assert(
        isDeepStrictEqual(others.map(Buffer.from), rows.map(Buffer.from)),
        'rows depend on where chunks end',
      );
      const size = rows.reduce((total, { length }) => total + length, 0);
      assert(size === bytes.length - bytes.filter((byte) => byte === 10).length, 'bytes were lost or made');
      const lines = rows.flatMap(cleanRow);
      for (const line of lines)
        assert(
          line.length <= MAX_LINE && line.trim() !== '' && isSafe(line),
          `the line ${JSON.stringify(line)}`,
        );
      return lines.length > rows.length
        ? 'more lines than rows'
        : lines.length < rows.length
          ? 'fewer'
          : 'as many';
    },
  };
}

const QMP_WORDS = [
  '\n', '\r\n', '{', '}', '[', ']', ',', ':', '"', '\\', '\\u0000', '\\ud800', '{"return": ', '{"event": ', '{"error": ', '{"QMP": ',
  '"id": ', '"id": 1e999', 'null', 'true', '-0', '1e308', '{"return": {}}\n', '{"return": {}, "id": 1}\n', '{"error": {}}\n', '{"event": "X"}\n',
  '{"QMP": {"version": {"qemu": 1}}}\n', '"__proto__": {"status": "running"}, ', '"cpu-index": ', '"stats": ', '"status": ', 'CPU#', 'RIP=',
  'EIP=', ' PC=', '\\r\\nCPU#0\\r\\n', 'child<usb-kbd>', '['.repeat(3000), `\n{"return":1,"id":${'['.repeat(9000)}${']'.repeat(9000)}}\n`, '{"a":'.repeat(3000), ' '.repeat(5000), '\xff',
]; // prettier-ignore

async function qmpCodec(load) {
  const { QmpDecoder } = await load('core/qmp/codec');
  const { runStateOf, vcpusOf, blockSums } = await load('core/qmp/queries');
  const { registersOf } = await load('core/memory/registers');
  const { keyboardsIn } = await load('core/qmp/keyboards');
  const decode = (chunks) => {
    const decoder = new QmpDecoder();
    const messages = [];
    let problem = null;
    for (const chunk of chunks) {
      const taken = decoder.push(chunk);
      messages.push(...taken.messages);
      problem = taken.problem;
    }
    return { messages, problem };
  };
  const readers = [runStateOf, vcpusOf, blockSums, registersOf];
  return {
    material: { texts: [read('session.qmp')], end: '\n\n', words: QMP_WORDS },
    run(bytes, random) {
      const whole = decode([bytes]);
      assert(isDeepStrictEqual(decode(pieces(bytes, random)), whole), 'messages depend on where chunks end');
      for (const message of whole.messages) {
        // As the connection does to show an id that it did not send.
        JSON.stringify(message);
        if (message.kind !== 'reply') continue;
        for (const reader of readers) reader(message.value);
        keyboardsIn([{ path: '/machine', answer: message.value }]);
      }
      if (whole.problem === null) return whole.messages.length > 0 ? 'messages' : 'nothing';
      return whole.messages.length > 0 ? 'messages, then none' : 'none';
    },
  };
}

const CONFIG_WORDS = [
  '\n', '\n\n', ':', ': ', '- ', '#', '{', '}', '[', ']', '&a ', '*a', '*a ', '<<: *a\n', '!!binary ', '!!set\n', '!tag ', '|\n  ', '>-\n  ', '%YAML 1.1\n',
  '---\n', '...\n', "'", '"', '\\x', '\t', '\0', '? ', '~', 'null', 'true', '0', '-1', '.inf', '.nan', '0x1f', '1e999', '3s', '1h 30min', '10GiB', '99999999999d',
  '\'%v\'', '__proto__: ', 'constructor: ', 'toString', 'ssh:\n', '  host: ', 'overrides:\n  - match: ', '"[!a"', '"{a,{b,c}}*"', 'detect:\n  testPattern: ',
  '"(a*)*(b|c"', '"(?:((a{1,500}){1,500}))"', '"(((((a{100}){100}){100})))"', 'guests: [{name: a, ssh: false}]\n', '[['.repeat(100), '{a: '.repeat(70), '- '.repeat(300), 'a: &a [*a, *a]\n',
  'a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c]\n', '41 4 * * *', '*/0 * * * *', '\u2028', '\ufeff', '\u{1f600}',
]; // prettier-ignore

/** Its sections without the prose, those that are examples as well. */
const densely = (example) =>
  example
    .replaceAll(/^#(?! )/gm, '')
    .split('\n')
    .filter((line) => !/^ *# /.test(line))
    .join('\n');

async function config(load) {
  const { parseConfig } = await load('core/config/parse-config');
  const { guestSettings, guestForUnit } = await load('core/config/guest-settings');
  const { writtenConfig } = await load('core/config/written');
  const example = read('../../config.example.yaml').toString();
  return {
    material: { texts: [Buffer.from(densely(example))], end: '\n\n', words: CONFIG_WORDS },
    run(bytes) {
      const parsed = parseConfig(new TextDecoder().decode(bytes), 'config.yaml');
      if (parsed.ok) {
        for (const vm of ['lab1', 'slow-%v'])
          assert(guestSettings(parsed.config, vm, { qmpDirectory: '/run' }).vm === vm, 'settings of another');
        guestForUnit(parsed.config, 'qemu-system@lab1.service');
        const again = parseConfig(JSON.stringify(writtenConfig(parsed.config)), 'config.json');
        assert(isDeepStrictEqual(again, parsed), 'what is written is not what was read');
        return 'accepted';
      }
      for (const { message, position } of parsed.problems)
        assert(
          message !== '' && (position === null || (position.line > 0 && position.column > 0)),
          'the problem',
        );
      assert(parsed.problems.length > 0, 'refused without a problem');
      return 'refused';
    },
  };
}

const consoles = () => [...goldenNames().map((name) => readGolden(name).log), read('formats.log')];
const MAX_TITLE = 160;

async function lines(load) {
  const { cleanRow } = await load('core/console/clean');
  const { RowSplitter } = await load('core/console/rows');
  const splitter = new RowSplitter();
  return (bytes) => {
    const rows = splitter.push(bytes);
    const last = splitter.flush();
    return (last === null ? rows : [...rows, last]).flatMap(cleanRow);
  };
}

function judged({ verdict }) {
  assert(verdict.title.length <= MAX_TITLE && !verdict.title.includes('\n'), `the title ${verdict.title}`);
  return verdict.class;
}

/** A guest's own console: rows, lines, dumps, verdict. */
async function dump(load) {
  const linesOf = await lines(load);
  const { analyze } = await load('core/analysis/analysis');
  const { parseDumps } = await load('core/dump/parse-dumps');
  const context = { secondsBetweenLooks: null, shares: [], kernelCommandLine: null };
  return {
    material: { texts: consoles(), end: '\n', words: LOG_WORDS },
    run: (bytes) => judged(analyze(parseDumps(linesOf(bytes)), context)),
  };
}

/** A log as people paste it, as `analyze` reads it. */
async function paste(load) {
  const linesOf = await lines(load);
  const { analyze } = await load('core/analysis/analysis');
  const { LogPlaces } = await load('core/analysis/log-places');
  const { kernelCommandLine } = await load('core/console/markers');
  const { DumpParser } = await load('core/dump/parse-dumps');
  const { readPaste } = await load('core/dump/paste/paste');
  return {
    material: { texts: consoles(), end: '\n', words: LOG_WORDS, reshape: reshaped },
    run(bytes) {
      const parser = new DumpParser({ pasted: true });
      const places = new LogPlaces();
      let commandLine = null;
      for (const line of readPaste(linesOf(bytes))) {
        parser.push(line);
        commandLine = kernelCommandLine(line) ?? commandLine;
        places.push(line, parser);
      }
      const { bootPlaces, troubles } = places;
      const context = {
        secondsBetweenLooks: null,
        shares: [],
        kernelCommandLine: commandLine,
        bootPlaces,
        troubles,
      };
      return judged(analyze(parser.finish(), context));
    },
  };
}

export const TARGETS = {
  ...{ export: exportDecoder, console: consoleCleaner, qmp: qmpCodec, config, dump, paste },
  memory: (load) => memory(load, { assert, judged, consoles }),
};
