import ts from 'typescript';

const DECLARES = new Set(['it', 'test', 'describe']);

/** The titles of the tests and suites that a test file declares, as they are written: `%s` and `$name` stay. */
export function titlesIn(text: string): Set<string> {
  const titles = new Set<string>();
  const visit = (node: ts.Node): void => {
    const title = ts.isCallExpression(node) && declares(node.expression) ? node.arguments[0] : undefined;
    if (title !== undefined && ts.isStringLiteralLike(title)) titles.add(title.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('test.ts', text, ts.ScriptTarget.Latest));
  return titles;
}

/** `it`, `it.skipIf(…)`, `it.each(…)` and the like. */
function declares(callee: ts.Expression): boolean {
  if (ts.isIdentifier(callee)) return DECLARES.has(callee.text);
  return (
    (ts.isCallExpression(callee) || ts.isPropertyAccessExpression(callee)) && declares(callee.expression)
  );
}
