import { describe, expect, it } from 'vitest'
import { namedPaths } from '../../src/watch/probe.ts'

describe('paths that an app names', () => {
  it.each([
    ['a request in its log', 'GET /healthz 200 1.2 ms', ['/healthz']],
    ['an address', 'Swagger UI: http://localhost:8000/docs', ['/docs']],
    ['a route as Nest prints it', 'Mapped {/api/users, GET} route', ['/api/users']],
    ['a quoted one in an answer', '{"message":"Not Found","see":"/api/v1"}', ['/api/v1']],
    ['the best first, each once', 'GET /api, GET /docs, GET /health, GET /health', ['/health', '/docs', '/api']],
    ['one that was not found either', 'GET /health 404', []],
    ['files', 'at file:///app/api/index.js:3 and /app/health.js and (/srv/status.py)', []],
    ['what says nothing of health', 'GET /users/1 and /', []],
  ])('%s', (_what, line, paths) => {
    expect(namedPaths([line])).toEqual(paths)
  })
})
