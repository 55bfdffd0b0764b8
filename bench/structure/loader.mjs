/** Loads the sources of a checkout as they are, each function with a note of its entry. */
/* global URL */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';

let root = '';
export function initialize(data) {
  root = data.root;
}

export async function resolve(specifier, context, next) {
  if (specifier.startsWith('.') && context.parentURL?.startsWith(pathToFileURL(root).href)) {
    const path = fileURLToPath(new URL(specifier, context.parentURL)).replace(/\.js$/, '');
    const file = [`${path}.ts`, `${path}.tsx`].find((name) => existsSync(name));
    if (file !== undefined) return { url: pathToFileURL(file).href, shortCircuit: true };
  }
  return next(specifier, context);
}

export async function load(url, context, next) {
  if (!url.startsWith(pathToFileURL(root).href) || !/\.tsx?$/.test(url)) return next(url, context);
  const path = fileURLToPath(url);
  const source = ts.transpileModule(readFileSync(path, 'utf8'), {
    fileName: path,
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      jsx: ts.JsxEmit.ReactJSX,
      jsxImportSource: 'preact',
    },
    transformers: { after: [(context) => noteEntries(context, path.slice(root.length + 1))] },
  }).outputText;
  return { format: 'module', source, shortCircuit: true };
}

const { factory } = ts;
const note = (method, args) =>
  factory.createCallExpression(
    factory.createPropertyAccessExpression(
      factory.createPropertyAccessExpression(factory.createIdentifier('globalThis'), 'walked'),
      method,
    ),
    undefined,
    args,
  );

function noteEntries(context, file) {
  const text = (value) => factory.createStringLiteral(value);
  const visit = (node) => {
    const inside = ts.visitEachChild(node, visit, context);
    if (ts.isFunctionDeclaration(inside) && inside.name?.text === 'step' && inside.body !== undefined)
      return noteStep(inside, note('enter', [text(file)]), context);
    return withEntry(inside, note('enter', [text(file)]));
  };
  return (tree) => ts.visitNode(tree, visit);
}

function withEntry(node, entry) {
  if (!ts.isFunctionLike(node) || node.body === undefined) return node;
  if (!ts.isBlock(node.body)) {
    const body = factory.createParenthesizedExpression(factory.createComma(entry, node.body));
    const { modifiers, typeParameters, parameters, type, equalsGreaterThanToken } = node;
    const arrow = [modifiers, typeParameters, parameters, type, equalsGreaterThanToken, body];
    return factory.updateArrowFunction(node, ...arrow);
  }
  return withStatement(node, entry);
}

/** The tree is this transformer's own copy, so its blocks may be replaced in place. */
function withStatement(node, call) {
  const statement = factory.createExpressionStatement(call);
  const body = factory.updateBlock(node.body, [statement, ...node.body.statements]);
  return Object.assign(node, { body });
}

/** `step` also tells its event, and its effects. */
function noteStep(node, entry, context) {
  const returned = (inner) => {
    if (ts.isFunctionLike(inner)) return inner;
    if (ts.isReturnStatement(inner) && inner.expression !== undefined)
      return factory.updateReturnStatement(inner, note('effects', [inner.expression]));
    return ts.visitEachChild(inner, returned, context);
  };
  const event = note('event', [factory.createSpreadElement(factory.createIdentifier('arguments'))]);
  const body = ts.visitNode(node.body, returned);
  return withStatement(withStatement(Object.assign(node, { body }), event), entry);
}
