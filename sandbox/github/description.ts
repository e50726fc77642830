import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

/** A JSON schema, or any part of GitHub's description: walked, never interpreted by type. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
export type JsonObject = { readonly [key: string]: Json }

export interface Parameter {
  readonly name: string
  readonly required: boolean
  readonly schema: JsonObject
}

/** One call of GitHub's REST API as GitHub itself describes it. */
export interface Operation {
  /** For example `issues/create-comment`. */
  readonly id: string
  readonly documentationUrl: string
  readonly pathParameters: readonly Parameter[]
  readonly queryParameters: readonly Parameter[]
  readonly requestBody: { readonly required: boolean; readonly schema: JsonObject } | undefined
  /** Status → schema of the JSON body; `undefined` where the answer has no JSON body. */
  readonly responses: ReadonlyMap<number, JsonObject | undefined>
}

export interface Match {
  readonly operation: Operation
  /** Path parameters, decoded. */
  readonly params: Readonly<Record<string, string>>
}

/** GitHub's own description of its REST API. */
export interface Description {
  find(method: string, path: string): Match | undefined
  /** A component by its reference (`#/components/schemas/label`). */
  component(reference: string): JsonObject
}

const PULL_REQUEST = '#/components/schemas/pull-request'
const PULL_REQUEST_SIMPLE = '#/components/schemas/pull-request-simple'

interface Segment {
  readonly literal: string | undefined
  readonly name: string
  readonly multi: boolean
}

interface Route {
  /** What is described, by method. */
  readonly methods: JsonObject
  readonly segments: readonly Segment[]
}

/** Reads GitHub's description: 13 MB of JSON, which takes about 160 ms. */
export async function readDescription(): Promise<Description> {
  const path = createRequire(import.meta.url).resolve('@octokit/openapi/generated/api.github.com.json')
  const document = asObject(JSON.parse(await readFile(path, 'utf8')) as Json)
  return describe(document)
}

function describe(document: JsonObject): Description {
  const component = (reference: string): JsonObject => {
    if (reference === PULL_REQUEST || reference === PULL_REQUEST_SIMPLE) return withoutFork(walk(reference))
    return walk(reference)
  }
  const walk = (reference: string): JsonObject => {
    let node: Json = document
    for (const part of reference.slice(2).split('/')) node = asObject(node)[part] ?? null
    return asObject(node)
  }
  const resolve = (value: Json): JsonObject => {
    const object = asObject(value)
    return typeof object.$ref === 'string' ? component(object.$ref) : object
  }
  const routes = new Map<string, Route[]>()
  for (const [template, methods] of Object.entries(asObject(document.paths ?? {}))) {
    const segments = template.split('/').map((part) => segmentOf(part, asObject(methods), resolve))
    const place = placeOf(segments[1]?.literal, segments[4]?.literal)
    routes.set(place, [...(routes.get(place) ?? []), { methods: asObject(methods), segments }])
  }
  const operations = new Map<JsonObject, Operation>()

  return {
    component,
    find(method, path) {
      const parts = path.split('/')
      let best: { score: number; raw: JsonObject; params: Record<string, string> } | undefined
      const places = [placeOf(parts[1], parts[4]), placeOf(parts[1], undefined)]
      for (const route of places.flatMap((place) => routes.get(place) ?? [])) {
        const raw = route.methods[method.toLowerCase()]
        const params = raw === undefined ? undefined : matchSegments(route.segments, parts)
        if (raw === undefined || params === undefined) continue
        const score = literalScore(route.segments)
        if (!best || score > best.score) best = { score, raw: asObject(raw), params }
      }
      if (!best) return undefined
      const operation = operations.get(best.raw) ?? readOperation(best.raw, resolve)
      operations.set(best.raw, operation)
      return { operation, params: best.params }
    },
  }
}

/** Where the description falls behind GitHub: `head.repo` is null once the fork has been deleted. */
function withoutFork(pullRequest: JsonObject): JsonObject {
  const properties = asObject(pullRequest.properties ?? {})
  const head = asObject(properties.head ?? {})
  const parts = asObject(head.properties ?? {})
  const repo = { ...asObject(parts.repo ?? {}), nullable: true }
  return { ...pullRequest, properties: { ...properties, head: { ...head, properties: { ...parts, repo } } } }
}

/** Calls are looked for by what they are of (`repos`) and by what follows owner and name (`pulls`), as there are a thousand. */
function placeOf(first: string | undefined, fourth: string | undefined): string {
  return `${first}/${fourth ?? ''}`
}

function segmentOf(part: string, methods: JsonObject, resolve: (value: Json) => JsonObject): Segment {
  const name = /^\{(.+)\}$/.exec(part)?.[1]
  if (name === undefined) return { literal: part, name: '', multi: false }
  const multi = Object.values(methods).some((operation) =>
    asArray(asObject(operation).parameters ?? []).some((raw) => {
      const parameter = resolve(raw)
      return parameter.name === name && parameter['x-multi-segment'] === true
    }),
  )
  return { literal: undefined, name, multi }
}

/** Literal segments outrank parameters, and earlier ones outrank later ones (`/pulls/comments` is not pull request “comments”). */
function literalScore(segments: readonly Segment[]): number {
  return (
    segments.reduce((score, segment) => score * 2 + (segment.literal === undefined ? 0 : 1), 0) / 2 ** segments.length
  )
}

function matchSegments(segments: readonly Segment[], parts: readonly string[]): Record<string, string> | undefined {
  const last = segments.at(-1)
  if (last?.multi ? parts.length < segments.length : parts.length !== segments.length) return undefined
  const params: Record<string, string> = {}
  for (const [index, segment] of segments.entries()) {
    const rest = last?.multi && index === segments.length - 1 ? parts.slice(index).join('/') : parts[index]
    if (rest === undefined || rest === '') {
      if (segment.literal !== rest) return undefined
    } else if (segment.literal === undefined) params[segment.name] = decodeURIComponent(rest)
    else if (segment.literal !== rest) return undefined
  }
  return params
}

function readOperation(raw: JsonObject, resolve: (value: Json) => JsonObject): Operation {
  const parameters = asArray(raw.parameters ?? []).map(resolve)
  const at = (place: string): Parameter[] =>
    parameters
      .filter((parameter) => parameter.in === place)
      .map((parameter) => ({
        name: String(parameter.name),
        required: parameter.required === true,
        schema: asObject(parameter.schema ?? {}),
      }))
  const body = raw.requestBody === undefined ? undefined : resolve(raw.requestBody)
  const bodySchema = body && jsonSchemaOf(body)
  return {
    id: String(raw.operationId),
    documentationUrl: String(asObject(raw.externalDocs ?? {}).url ?? 'https://docs.github.com/rest'),
    pathParameters: at('path'),
    queryParameters: at('query'),
    requestBody: bodySchema && { required: body.required === true, schema: bodySchema },
    responses: new Map(
      Object.entries(asObject(raw.responses ?? {})).map(([status, response]) => [
        Number(status),
        jsonSchemaOf(resolve(response)),
      ]),
    ),
  }
}

function jsonSchemaOf(content: JsonObject): JsonObject | undefined {
  const json = asObject(content.content ?? {})['application/json']
  return json === undefined ? undefined : asObject(asObject(json).schema ?? {})
}

/** The value as an object; anything else counts as an empty one. */
export function asObject(value: Json): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {}
}

function asArray(value: Json): readonly Json[] {
  return Array.isArray(value) ? value : []
}
