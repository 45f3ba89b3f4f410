// Fails where a computation is thrown away: a call that returns Io and stands alone as a statement does nothing, silently.
// It also forbids the plain `yield` outside of src/io, where `perform` holds the only one.
import path from 'node:path';
import process from 'node:process';
import ts from 'typescript';

const configurations = ['tsconfig.core.json', 'tsconfig.node.json', 'tsconfig.browser.json', 'tsconfig.test.json'];
const findings = new Set();

function isComputationType(type) {
  if (type.isUnion()) return type.types.some(isComputationType);
  const name = type.aliasSymbol?.name ?? type.symbol?.name;
  return name === 'Io' || name === 'Generator';
}

function isComputation(checker, node) {
  return isComputationType(checker.getTypeAtLocation(node));
}

/** `list.forEach((x) => computation(x))`: the callback's caller expects nothing and gets a computation that nobody performs. */
function isDroppedByCallback(checker, node) {
  if (!ts.isArrowFunction(node) || ts.isBlock(node.body) || !isComputation(checker, node.body)) return false;
  const signatures = checker.getContextualType(node)?.getCallSignatures() ?? [];
  return signatures.some((signature) => (checker.getReturnTypeOfSignature(signature).flags & ts.TypeFlags.Void) !== 0);
}

function report(file, node, text) {
  const { line, character } = file.getLineAndCharacterOfPosition(node.getStart());
  findings.add(`${path.relative('.', file.fileName)}:${line + 1}:${character + 1}: ${text}`);
}

for (const configuration of configurations) {
  const { config } = ts.readConfigFile(configuration, ts.sys.readFile);
  const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, '.');
  const program = ts.createProgram(fileNames, { ...options, noEmit: true, composite: false, incremental: false });
  const checker = program.getTypeChecker();
  for (const file of program.getSourceFiles()) {
    if (file.isDeclarationFile || file.fileName.includes('/node_modules/')) continue;
    const inIo = file.fileName.includes('/src/io/');
    const visit = (node) => {
      if (ts.isExpressionStatement(node) && isComputation(checker, node.expression))
        report(file, node, 'a computation is dropped: write yield*');
      if (ts.isVoidExpression(node) && isComputation(checker, node.expression))
        report(file, node, 'a computation is dropped: write yield*');
      if (isDroppedByCallback(checker, node))
        report(file, node.body, 'a computation is dropped: the caller of this callback expects nothing');
      if (ts.isYieldExpression(node) && !node.asteriskToken && !inIo) report(file, node, 'plain yield outside of src/io: write yield*');
      ts.forEachChild(node, visit);
    };
    visit(file);
  }
}
for (const finding of findings) console.error(finding);
process.exit(findings.size > 0 ? 1 : 0);
