import { data, Evaluator, Lexer, Parser } from '@actions/expressions'

/** How the job stands: what `success()`, `failure()` and `cancelled()` answer. */
export type JobStatus = 'success' | 'failure' | 'cancelled'

/** What expressions can see: `github`, `runner`, `env`, `job` and whatever else is given. */
export type Contexts = Readonly<Record<string, unknown>>

/** Replaces every `${{ … }}` in a text by its value. */
export function evaluateTemplate(template: string, contexts: Contexts, status: JobStatus): string {
  return template.replaceAll(/\$\{\{([\s\S]*?)\}\}/g, (_, expression: string) =>
    evaluate(expression, contexts, status).coerceString(),
  )
}

/** Evaluates an `if`; without a status function in it, it holds only while all is well. */
export function evaluateCondition(condition: string, contexts: Contexts, status: JobStatus): boolean {
  const expression = /^\s*\$\{\{([\s\S]*)\}\}\s*$/.exec(condition)?.[1] ?? condition
  const implied = /\b(always|success|failure|cancelled)\s*\(/i.test(expression)
    ? expression
    : `success() && (${expression})`
  // Truth as the runner sees it: `!!` in its own language.
  return evaluate(`!!(${implied})`, contexts, status).coerceString() === 'true'
}

function evaluate(expression: string, contexts: Contexts, status: JobStatus) {
  const statusFunction = (name: string, value: boolean) => ({
    name,
    minArgs: 0,
    maxArgs: 0,
    call: () => new data.BooleanData(value),
  })
  const functions = [
    statusFunction('always', true),
    statusFunction('success', status === 'success'),
    statusFunction('failure', status === 'failure'),
    statusFunction('cancelled', status === 'cancelled'),
  ]
  const { tokens } = new Lexer(expression).lex()
  const tree = new Parser(tokens, Object.keys(contexts), functions).parse()
  const context = new data.Dictionary(
    ...Object.entries(contexts).map(([key, value]) => ({ key, value: toData(value) })),
  )
  return new Evaluator(tree, context, new Map(functions.map((one) => [one.name, one]))).evaluate()
}

function toData(value: unknown): data.ExpressionData {
  return JSON.parse(JSON.stringify(value ?? null), data.reviver) as data.ExpressionData
}
