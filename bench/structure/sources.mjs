/** What the text of the sources tells, through TypeScript's own parser and type checker. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';

/** The files of src, each parsed; paths are relative to src. */
export function sourcesOf(directory) {
  const root = join(directory, 'src');
  return readdirSync(root, { recursive: true })
    .filter((name) => /\.tsx?$/.test(name))
    .sort()
    .map((file) => {
      const text = readFileSync(join(root, file), 'utf8');
      const tree = ts.createSourceFile(file, text, ts.ScriptTarget.ES2023, true);
      return { file, tree, lines: text.split('\n').length - 1 };
    });
}

function visit(node, see) {
  see(node);
  ts.forEachChild(node, (child) => visit(child, see));
}

/** Whether nothing is left of an import or export when it runs. */
function onlyTypes({ isTypeOnly, importClause, exportClause }) {
  if (isTypeOnly === true || importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const named = importClause?.namedBindings ?? exportClause;
  const elements = importClause?.name === undefined ? named?.elements : undefined;
  return elements !== undefined && elements.length > 0 && elements.every((element) => element.isTypeOnly);
}

function importsOf({ file, tree }, names, types) {
  const found = new Set();
  const add = (specifier) => {
    if (specifier === undefined || !specifier.startsWith('.')) return;
    const path = join(dirname(file), specifier).replace(/\.js$/, '');
    const target = [`${path}.ts`, `${path}.tsx`].find((name) => names.has(name));
    if (target !== undefined) found.add(target);
  };
  visit(tree, (node) => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && (types || !onlyTypes(node)))
      add(node.moduleSpecifier?.text);
    if (types && ts.isImportTypeNode(node)) add(node.argument.literal?.text);
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0]?.text);
  });
  return [...found];
}

/** The strongly connected components of more than one file (Tarjan's algorithm), largest first. */
export function circles(sources, { types = true } = {}) {
  const names = new Set(sources.map(({ file }) => file));
  const edges = new Map(sources.map((source) => [source.file, importsOf(source, names, types)]));
  const state = { order: new Map(), low: new Map(), stack: [], found: [] };
  for (const name of names) if (!state.order.has(name)) connect(name, edges, state);
  return state.found.sort((a, b) => b.length - a.length || (a[0] < b[0] ? -1 : 1));
}

function connect(name, edges, state) {
  const { order, low, stack, found } = state;
  order.set(name, order.size);
  low.set(name, order.get(name));
  stack.push(name);
  for (const next of edges.get(name)) {
    if (!order.has(next)) connect(next, edges, state);
    if (stack.includes(next)) low.set(name, Math.min(low.get(name), low.get(next)));
  }
  if (low.get(name) !== order.get(name)) return;
  const component = stack.splice(stack.indexOf(name)).sort();
  if (component.length > 1) found.push(component);
}

function nameOf(node) {
  if (ts.isConstructorDeclaration(node)) return 'constructor';
  if (node.name !== undefined) return node.name.getText();
  const { parent } = node;
  if (ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent)) return parent.name.getText();
  return '(anonymous)';
}

/** Each function with a body, longest first. */
export function longestFunctions(sources) {
  const all = [];
  for (const { file, tree } of sources)
    visit(tree, (node) => {
      if (!ts.isFunctionLike(node) || node.body === undefined) return;
      const line = (position) => tree.getLineAndCharacterOfPosition(position).line;
      const from = line(node.getStart(tree));
      all.push({ name: `${file}:${from + 1} ${nameOf(node)}`, lines: line(node.end) - from + 1 });
    });
  return all.sort((a, b) => b.lines - a.lines);
}

export const longFiles = (sources, limit) =>
  sources
    .filter(({ lines }) => lines > limit)
    .map(({ file, lines }) => ({ file, lines }))
    .sort((a, b) => b.lines - a.lines);

/**
 * The fields of a type: its own, those of object literals among their types, and those of the types of the same folder
 * that it is made of, each counted once. Of a union, the fields of all its members by name.
 */
export function fieldsOf(directory, sources, type) {
  const declaration = sources.flatMap(({ tree }) => declarationsOf(tree, type))[0];
  if (declaration === undefined) return { type, file: null };
  const root = join(directory, 'src');
  const { file } = sources.find(({ tree }) => tree === declaration.getSourceFile());
  const options = ts.parseJsonConfigFileContent(
    ts.readConfigFile(join(directory, 'tsconfig.json'), ts.sys.readFile).config,
    { ...ts.sys, readDirectory: () => [] },
    directory,
  ).options;
  const program = ts.createProgram([join(root, file)], { ...options, types: [], noEmit: true });
  const checker = program.getTypeChecker();
  const found = declarationsOf(program.getSourceFile(join(root, file)), type)[0];
  const own = membersOf(checker.getTypeAtLocation(found.name), checker);
  const folder = join(root, dirname(file));
  return {
    type,
    file,
    kind: checker.getTypeAtLocation(found.name).isUnion() ? 'a union' : 'one shape',
    direct: own.length,
    nullable: own.filter((member) => mayBeNull(member, checker)).length,
    nested: own.reduce((sum, member) => sum + literalFields(member), 0),
    below: namedBelow(own, { checker, folder, seen: new Set([type]) }),
  };
}

function declarationsOf(tree, name) {
  const found = [];
  visit(tree, (node) => {
    const declares = ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node);
    if ((declares || ts.isClassDeclaration(node)) && node.name?.text === name) found.push(node);
  });
  return found;
}

function membersOf(type, checker) {
  const shapes = type.isUnion() ? type.types : [type];
  const members = shapes.flatMap((shape) => checker.getPropertiesOfType(shape));
  return [...new Map(members.map((member) => [member.name, member])).values()];
}

function mayBeNull(member, checker) {
  const type = checker.getTypeOfSymbol(member);
  const parts = type.isUnion() ? type.types : [type];
  return parts.some(({ flags }) => (flags & ts.TypeFlags.Null) !== 0);
}

function literalFields(member) {
  let count = 0;
  for (const declaration of member.declarations ?? [])
    visit(declaration, (node) => {
      if (ts.isTypeLiteralNode(node)) count += node.members.length;
    });
  return count;
}

/** Fields of the named types of this folder that these members are made of, however deep. */
function namedBelow(members, context) {
  const { checker, folder, seen } = context;
  let count = 0;
  for (const declaration of members.flatMap((member) => member.declarations ?? []))
    visit(declaration, (node) => {
      if (!ts.isTypeReferenceNode(node)) return;
      const type = checker.getTypeAtLocation(node);
      const symbol = type.aliasSymbol ?? type.symbol;
      const at = symbol?.declarations?.[0]?.getSourceFile().fileName ?? '';
      if (!at.startsWith(`${folder}/`) || seen.has(symbol.name)) return;
      seen.add(symbol.name);
      const below = membersOf(type, checker).filter(({ flags }) => (flags & ts.SymbolFlags.Property) !== 0);
      count += below.length + namedBelow(below, context);
    });
  return count;
}
