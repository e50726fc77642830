import { Ajv, type ValidateFunction } from 'ajv'
import formats from 'ajv-formats'
import {
  asObject,
  type Description,
  type Json,
  type JsonObject,
  type Operation,
  type Parameter,
} from './description.ts'

/** Says what is wrong with requests and answers, measured by GitHub's description. An empty list: nothing. */
export interface Validator {
  request(operation: Operation, request: RequestParts): string[]
  response(operation: Operation, status: number, body: Json | undefined): string[]
  /** Path and query values as their schemas type them (`per_page=5` → 5), defaults not filled in. */
  typed(operation: Operation, query: Readonly<Record<string, string>>): Record<string, Json>
}

export interface RequestParts {
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  readonly body: Json | undefined
}

const COMPONENTS = 'https://sandbox.invalid/'
const BASIC_ERROR = '#/components/schemas/basic-error'

/** Makes a validator. Schemas are translated and compiled at their first use, then kept. */
export function createValidator(description: Description): Validator {
  const strict = makeAjv(false)
  const coercing = makeAjv('array')
  const compiled = new Map<JsonObject, ValidateFunction>()
  const added = new Map<Ajv, Set<string>>([
    [strict, new Set()],
    [coercing, new Set()],
  ])

  const compile = (schema: JsonObject, ajv: Ajv): ValidateFunction => {
    const known = compiled.get(schema)
    if (known) return known
    const translated = translate(schema, (reference) => addComponent(reference, ajv))
    const validate = ajv.compile(asObject(translated))
    compiled.set(schema, validate)
    return validate
  }
  const addComponent = (reference: string, ajv: Ajv): void => {
    if (added.get(ajv)?.has(reference)) return
    // Noted before its parts are added, because components may contain themselves.
    added.get(ajv)?.add(reference)
    const parts = new Set<string>()
    const schema = asObject(translate(description.component(reference), (part) => parts.add(part)))
    ajv.addSchema({ ...schema, $id: COMPONENTS + reference.slice(2) })
    for (const part of parts) addComponent(part, ajv)
  }
  const check = (what: string, schema: JsonObject, value: unknown, ajv: Ajv): string[] => {
    const validate = compile(schema, ajv)
    if (validate(value)) return []
    return [`${what}: ${ajv.errorsText(validate.errors, { dataVar: 'body' })}`]
  }
  const checkParameters = (place: string, declared: readonly Parameter[], given: Readonly<Record<string, string>>) => [
    ...declared
      .filter((one) => one.required && given[one.name] === undefined)
      .map((one) => `${place}: ${one.name} is missing`),
    ...Object.entries(given).flatMap(([name, value]) => {
      const parameter = declared.find((one) => one.name === name)
      if (!parameter) return [`${place}: ${name} is not described`]
      return check(`${place} ${name}`, wrap(parameter.schema), { value }, coercing)
    }),
  ]

  return {
    request(operation, { params, query, body }) {
      return [
        ...checkParameters('path', operation.pathParameters, params),
        ...checkParameters('query', operation.queryParameters, query),
        ...checkBody(operation, body),
      ]
    },
    response(operation, status, body) {
      const declared = operation.responses.has(status)
      if (!declared && status < 400) return [`answer: status ${status} is not described`]
      const schema = declared ? operation.responses.get(status) : { $ref: BASIC_ERROR }
      if (schema === undefined)
        return body === undefined || status >= 400 ? [] : ['answer: a body that is not described']
      return check(`answer ${status}`, schema, body, strict)
    },
    typed(operation, query) {
      const typed: Record<string, Json> = {}
      for (const { name, schema } of operation.queryParameters) {
        const value = query[name]
        if (value === undefined) continue
        const box: { value: Json } = { value }
        compile(wrap(schema), coercing)(box)
        typed[name] = box.value
      }
      return typed
    },
  }

  function checkBody(operation: Operation, body: Json | undefined): string[] {
    const declared = operation.requestBody
    if (!declared) return body === undefined ? [] : ['body: none is described']
    if (body === undefined) return declared.required ? ['body: missing'] : []
    const properties = asObject(declared.schema.properties ?? {})
    const open = declared.schema.additionalProperties !== undefined || Object.keys(properties).length === 0
    const unknown = open ? [] : Object.keys(asObject(body)).filter((key) => !Object.hasOwn(properties, key))
    return [...unknown.map((key) => `body: ${key} is not described`), ...check('body', declared.schema, body, strict)]
  }
}

const wrapped = new WeakMap<JsonObject, JsonObject>()

/** Coercion replaces a property of an object, so that a bare value has to be put into one. */
function wrap(schema: JsonObject): JsonObject {
  const known = wrapped.get(schema) ?? { type: 'object', properties: { value: schema } }
  wrapped.set(schema, known)
  return known
}

function makeAjv(coerceTypes: false | 'array'): Ajv {
  // GitHub's description is taken as it is, and used a few times only: checking and optimising it costs more than it saves.
  const economy = { validateSchema: false, inlineRefs: false, code: { optimize: false } } as const
  const ajv = new Ajv({ strict: false, logger: false, coerceTypes, ...economy })
  // A CommonJS module, imported as a whole: the function is its `default`.
  formats.default(ajv)
  // GitHub answers '' where a URL was not given, although its description calls the field a URI.
  ajv.addFormat('uri', (value: string) => value === '' || URL.canParse(value))
  return ajv
}

/**
 * OpenAPI 3.0 schema → JSON schema: `nullable` becomes a type of its own, references point at registered components.
 * `oneOf` is read as `anyOf`, since several of GitHub's alternatives overlap and its real answers match more than one.
 */
function translate(node: Json, onReference: (reference: string) => void): Json {
  if (Array.isArray(node)) return node.map((item) => translate(item, onReference))
  if (typeof node !== 'object' || node === null) return node
  const object = node as JsonObject
  const nullable = object.nullable === true
  if (typeof object.$ref === 'string') {
    onReference(object.$ref)
    const reference = { $ref: COMPONENTS + object.$ref.slice(2) }
    return nullable ? { anyOf: [{ type: 'null' }, reference] } : reference
  }
  const result: Record<string, Json> = {}
  for (const [key, value] of Object.entries(object)) {
    if (key === 'nullable' || key === 'example' || key === 'examples' || key === 'discriminator') continue
    if (key === 'enum' || key === 'default' || key === 'required') result[key] = value
    else if (key === 'properties') result[key] = mapValues(value, onReference)
    else result[key === 'oneOf' ? 'anyOf' : key] = translate(value, onReference)
  }
  if (!nullable) return result
  return { anyOf: [{ type: 'null' }, result] }
}

/** Property names are data: a property may be called `example` or `nullable`. */
function mapValues(properties: Json, onReference: (reference: string) => void): Json {
  return Object.fromEntries(
    Object.entries(asObject(properties)).map(([name, schema]) => [name, translate(schema, onReference)]),
  )
}
