/** A kernel out of what was found of it: its symbols, types, direct map, and the objects without a symbol. */
import { initTaskIn, modulesIn, ringIn } from './image-objects.js';
import { orcIn } from './image-orc.js';
import { learnLayouts } from './learn.js';
import type { Kernel, Layouts } from './model.js';
import { directMap } from './direct-map.js';
import type { Parts } from './parts.js';
import { typesByBtf } from './types.js';
import { u64 } from './reading.js';

type Objects = Map<string, bigint>;

/** Those that are asked for by object(), but for prb: its symbol is a pointer. */
const objectNames = [
  'init_task',
  'modules',
  '__start_orc_unwind_ip',
  '__stop_orc_unwind_ip',
  '__start_orc_unwind',
];

function objectsByName({ symbols, space }: Parts): Objects {
  const objects: Objects = new Map();
  for (const name of objectNames) {
    const at = symbols.address(name);
    if (at !== null) objects.set(name, at);
  }
  const pointer = symbols.address('prb');
  const prb = pointer === null ? null : u64(space, pointer);
  if (prb !== null) objects.set('prb', prb);
  return objects;
}

function objectsByShape(
  { space, symbols, image: read, text }: Parts & Pick<Kernel, 'text'>,
  layouts: Layouts,
): Objects {
  const image = read();
  if (image === null) return new Map();
  const data = Number((symbols.address('_etext') ?? image.first) - image.first);
  const shaped = { image, space, layouts, data: Math.max(0, Math.min(data, image.bytes.length)) };
  const orc = orcIn(image, Math.max(0, Number(text.first - image.first)), shaped.data);
  const found: [string, bigint | null][] = [
    ['init_task', initTaskIn(shaped)],
    ['modules', modulesIn(shaped)],
    ['prb', ringIn(shaped)],
    ...(orc ?? []),
  ];
  return new Map(found.filter((one): one is [string, bigint] => one[1] !== null));
}

function textOf({ symbols, stext, image }: Parts): Kernel['text'] {
  const first = symbols.address('_text') ?? stext;
  const end = symbols.address('_end') ?? image()?.end ?? symbols.address('_etext') ?? first;
  return { first, end };
}

/** Why it could not be, where it is no kernel. */
export function assemble(parts: Parts): Kernel | string {
  const { ram, builds, arch, space, symbols, note, noteAt, release, buildId, image } = parts;
  const text = textOf(parts);
  space.mapLinearly(text.first, text.end, parts.imageAt(text.first));
  const named = objectsByName(parts);
  const namesData = named.has('init_task');
  const [initTask, modules] = [named.get('init_task') ?? null, named.get('modules') ?? null];
  const layouts =
    typesByBtf({ space, symbols, builds, namesData, image }) ??
    learnLayouts({ space, symbols, arch, release, initTask, modules });
  if (layouts === null) return `${release} has no BTF, and its tasks did not teach its layouts`;
  const objects = namesData ? named : objectsByShape({ ...parts, text }, layouts);
  if (!objects.has('init_task')) return `the first task of ${release} was not found`;
  const stacks = objects.has('__start_orc_unwind') ? 'orc' : 'frame records';
  return {
    ...{ arch, release, buildId, noteAt, ram, builds, space, symbols, layouts, text, note },
    how: { kernel: parts.found, types: layouts.by, stacks },
    object: (name) => objects.get(name) ?? symbols.address(name),
    ...directMap(parts, layouts, objects.get('init_task') ?? null),
  };
}
