import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sanitize } from '../../src/core/sanitize.ts'
import { diagnose, type Failure } from '../../src/diagnosis/diagnose.ts'
import { lastWordsOf, memoryDeath } from '../../src/diagnosis/lines.ts'
import { repositoryPaths } from '../../src/diagnosis/places.ts'
import { anyCharacter } from '../support/any-character.ts'
import { failureOf, SAMPLES, sampleLines } from './samples.ts'

const failed = (overrides: Partial<Failure>): Failure => ({ ...failureOf('none'), ...overrides })

describe('a path of the log in the repository', () => {
  const all = repositoryPaths('')
  it.each([
    ['/app/src/app.ts', 'src/app.ts'],
    ['file:///app/src/app.ts', 'src/app.ts'],
    ['./src/app.ts', 'src/app.ts'],
    ['src/../lib/app.ts', 'lib/app.ts'],
    ['/usr/src/app/server.js', 'server.js'],
    ['/home/node/app/server.js', 'server.js'],
    ['src\\app.ts', 'src/app.ts'],
  ])('%s is %s', (path, file) => {
    expect(all.resolve(path)).toBe(file)
  })

  it.each([
    ['/app/node_modules/vite/dist/node/cli.js'],
    ['node:internal/modules/cjs/loader'],
    ['/usr/local/lib/python3.11/site-packages/flask/app.py'],
    ['/root/.cargo/registry/src/serde/lib.rs'],
    ['/etc/passwd'],
    ['../../outside.ts'],
    ['/app/../../etc/passwd'],
    ['https://example.test/a.js'],
    [''],
  ])('%s is none', (path) => {
    expect(all.resolve(path)).toBeUndefined()
  })

  it('lies under the root directory that was built', () => {
    expect(repositoryPaths('apps/web').resolve('/app/src/app.ts')).toBe('apps/web/src/app.ts')
    expect(repositoryPaths('./apps/web/').resolve('src/app.ts')).toBe('apps/web/src/app.ts')
  })

  it('is one of the files that the repository has, when they are known', () => {
    const known = new Set(['packages/ui/button.ts', 'apps/web/page.tsx'])
    const paths = repositoryPaths('apps/web', known)
    expect(paths.resolve('page.tsx')).toBe('apps/web/page.tsx')
    expect(paths.resolve('/app/packages/ui/button.ts')).toBe('packages/ui/button.ts')
    expect(paths.resolve('dist/page.js')).toBeUndefined()
  })

  it('never leaves the repository, whatever the log says', () => {
    const part = fc.constantFrom('..', '.', 'src', 'app', '', 'a b', '%2e%2e', '~')
    fc.assert(
      fc.property(fc.array(part), fc.boolean(), fc.constantFrom('', 'apps/web', '..'), (parts, absolute, root) => {
        const file = repositoryPaths(root).resolve((absolute ? '/app/' : '') + parts.join('/'))
        if (file === undefined) return
        expect(file.startsWith('/')).toBe(false)
        expect(file.split('/')).not.toContain('..')
      }),
    )
  })
})

describe('annotations', () => {
  it('say what is wrong and not what the line is, where the runtime shows the line with a mark below it', () => {
    const runtimeLogs = [
      'file:///app/index.js:2',
      'listen((',
      '       ^',
      '',
      'SyntaxError: missing ) after argument list',
    ]
    const { annotations, cause } = diagnose(failed({ phase: 'run', runtimeLogs }))
    expect(annotations).toMatchObject([{ file: 'index.js', line: 2, title: 'Error' }])
    expect(annotations[0]?.message).toBe('SyntaxError: missing ) after argument list')
    expect(cause).toBe('The app does not start: SyntaxError: missing ) after argument list (index.js:2)')
  })

  it('stand at the place in the root directory, with line, column and message', () => {
    const deployLogs = ["src/app.ts(3,20): error TS2304: Cannot find name 'missing'."]
    expect(diagnose(failed({ deployLogs, rootDirectory: 'web' })).annotations).toEqual([
      {
        file: 'web/src/app.ts',
        line: 3,
        column: 20,
        title: 'TypeScript TS2304',
        message: "Cannot find name 'missing'.",
        level: 'error',
      },
    ])
  })

  it.each([
    [['/app/src/app.js', "  2:5   error    'b' is not defined    no-undef"], 'no-undef', "'b' is not defined"],
    [['error[E0425]: cannot find value `totla`', ' --> src/main.rs:3:20'], 'E0425', 'cannot find value `totla`'],
  ])('are titled with the code that the tool gives: %j', (deployLogs, code, message) => {
    const [found] = diagnose(failed({ deployLogs })).annotations
    expect(found?.title).toMatch(new RegExp(`^\\S+ ${code}$`))
    expect(found?.message).toBe(message)
  })

  it('are 10 at most, errors before warnings, each place once', () => {
    const warnings = Array.from({ length: 8 }, (_, index) => `src/w${index}.ts(1,1): warning TS1: unused`)
    const errors = Array.from({ length: 8 }, (_, index) => `src/e${index}.ts(1,1): error TS2304: Cannot find name 'x'.`)
    const { annotations } = diagnose(failed({ deployLogs: [...warnings, ...errors, ...errors] }))
    expect(annotations).toHaveLength(10)
    expect(annotations.slice(0, 8).map(({ file }) => file)).toEqual(errors.map((_, index) => `src/e${index}.ts`))
    expect(annotations.slice(8).every(({ level }) => level === 'warning')).toBe(true)
  })

  it('point at the innermost call of one’s own, not into a library', () => {
    const runtimeLogs = [
      'Traceback (most recent call last):',
      '  File "/app/main.py", line 9, in <module>',
      '  File "/app/shop/orders.py", line 4, in total',
      '  File "/usr/local/lib/python3.11/decimal.py", line 99, in divide',
      "decimal.DivisionByZero: [<class 'decimal.DivisionByZero'>]",
      'ValueError: bad order',
    ]
    const { annotations } = diagnose(failed({ status: 'crashed', phase: 'run', runtimeLogs }))
    expect(annotations[0]).toMatchObject({ file: 'shop/orders.py', line: 4 })
  })

  it('find the file of a Java class', () => {
    const runtimeLogs = [
      'Exception in thread "main" java.lang.IllegalStateException: no orders',
      '\tat com.acme.Shop.main(Shop.java:7)',
    ]
    const known = new Set(['src/main/java/com/acme/Shop.java'])
    const { annotations } = diagnose(failed({ status: 'crashed', runtimeLogs, files: known }))
    expect(annotations[0]).toMatchObject({ file: 'src/main/java/com/acme/Shop.java', line: 7 })
  })
})

describe('the search', () => {
  it('takes a failed build’s reason from the build log, whatever the version before printed at run time', () => {
    const diagnosis = diagnose(
      failed({
        deployLogs: sampleLines('npm/lock-out-of-step'),
        runtimeLogs: sampleLines('database/pg-refused'),
      }),
    )
    expect(diagnosis.cause).toBe('package-lock.json does not match package.json: is-odd@3.0.1')
  })

  it('takes a crash’s reason from the runtime log, whatever the build said', () => {
    const diagnosis = diagnose(
      failed({
        status: 'crashed',
        deployLogs: ['npm warn deprecated', 'done'],
        runtimeLogs: sampleLines('crash/node'),
      }),
    )
    expect(diagnosis.cause).toContain("TypeError: Cannot read properties of undefined (reading 'url')")
    expect(diagnosis.tail.join('\n')).toContain('Node.js v20')
  })

  it('looks at the runtime log of a container that ended before its phase was seen', () => {
    const errorMessage = 'container exited with code 1 before accepting connections'
    const runtimeLogs = sampleLines('environment/node-throw')
    const diagnosis = diagnose(failed({ phase: 'build', errorMessage, runtimeLogs, deployLogs: ['npm ci', 'done'] }))
    expect(diagnosis.cause).toBe('The environment variable DATABASE_URL is missing (server.js:2)')
  })

  it('does not blame localhost for a crash', () => {
    const runtimeLogs = ['listening on http://localhost:3000', ...sampleLines('crash/node')]
    expect(diagnose(failed({ status: 'crashed', runtimeLogs })).cause).toContain('TypeError: Cannot read properties')
  })

  it('does blame localhost for a roll-out that nobody reached, though an error was printed on the way', () => {
    const runtimeLogs = ['Error: cache is cold', 'listening on http://127.0.0.1:3000']
    const errorMessage = 'timed out waiting for rollout: nothing accepts connections on $PORT on 0.0.0.0'
    expect(diagnose(failed({ phase: 'run', runtimeLogs, errorMessage })).cause).toBe(
      'The application listens on localhost:3000, where the platform cannot reach it',
    )
  })

  it('names the last line when the time ran out during a build', () => {
    const deployLogs = ['npm ci', 'running 4000 tests', '']
    expect(diagnose(failed({ status: 'timed-out', deployLogs }))).toMatchObject({
      cause: 'The time ran out during the build, at: running 4000 tests',
    })
  })

  it('shows the build log beside the platform’s words', () => {
    const diagnosis = diagnose(
      failed({ errorMessage: 'activity StartToClose timeout', deployLogs: ['npm ci', 'npm run e2e'] }),
    )
    expect(diagnosis.cause).toBe('The build took longer than the platform allows (10 minutes)')
    expect(diagnosis.decisive).toEqual(['activity StartToClose timeout', 'npm ci', 'npm run e2e'])
    expect(diagnosis.tail).toEqual(['npm ci', 'npm run e2e'])
  })
})

describe('the decisive lines', () => {
  it('end with the step that failed, and leave out calls in library code', () => {
    const step = [
      ...sampleLines('node/syntax').slice(0, -1),
      'ERROR: process "npm run build" did not complete successfully: exit code: 1',
    ]
    const { decisive } = diagnose(failed({ deployLogs: [...step, 'second try', ...step] }))
    expect(decisive[0]).toBe('file:///app/server.js:2')
    expect(decisive).toContain('const app = {{')
    expect(decisive.join('\n')).not.toMatch(/node:internal|second try/)
  })
})

describe('a failure nobody knows', () => {
  it('shows the first error with the lines around it, and the end of the log', () => {
    const deployLogs = [
      ...Array.from({ length: 80 }, (_, index) => `step ${index}`),
      'frobnication failed: no flux',
      'giving up',
    ]
    const diagnosis = diagnose(failed({ deployLogs }))
    expect(diagnosis).toMatchObject({
      found: true,
      cause: 'The build failed: frobnication failed: no flux',
    })
    expect(diagnosis.decisive).toEqual([
      'step 76',
      'step 77',
      'step 78',
      'step 79',
      'frobnication failed: no flux',
      'giving up',
    ])
    expect(diagnosis.tail).toHaveLength(50)
  })

  it('says so when there is nothing to show', () => {
    const diagnosis = diagnose(failed({}))
    expect(diagnosis.cause).toBe('The deployment failed: the platform gave no reason, and there are no log lines')
    expect([diagnosis.decisive, diagnosis.tail, diagnosis.annotations]).toEqual([[], [], []])
  })

  it('prefers the platform’s words for the cause', () => {
    expect(diagnose(failed({ errorMessage: 'gremlins', deployLogs: ['all is well'] })).cause).toBe(
      'The deployment failed: gremlins',
    )
  })
})

describe('a service that died after it was live', () => {
  it('has its runtime log explained in the same way', () => {
    const runtimeLogs = ['GET / 200', ...sampleLines('crash/node')]
    const { cause } = diagnose(failed({ status: 'crashed', phase: 'run', wasLive: true, runtimeLogs }))
    expect(cause).toBe("The app ended: TypeError: Cannot read properties of undefined (reading 'url') (server.js:2)")
  })
})

describe('a build', () => {
  it('is never said to be an application that ended or listens somewhere', () => {
    for (const sample of SAMPLES) {
      const lines = [...sampleLines(sample), 'Server listening on http://localhost:3000']
      const message = 'process "/bin/sh -c npm run build" did not complete successfully: exit code: 1'
      const { cause } = diagnose(failed({ deployLogs: lines, runtimeLogs: lines, errorMessage: message }))
      expect(cause, sample).not.toMatch(/^The (?:app|application) /)
    }
  })
})

describe('killed for memory', () => {
  it('is found in what was said last, however long the stack below it', () => {
    const log = ['up', ...sampleLines('memory/node-heap'), 'container exited with code 134']
    const said = lastWordsOf(log, 3)
    expect(said).toHaveLength(3)
    expect(memoryDeath(said)).toMatch(/JavaScript heap out of memory$/)
  })

  it('is not found in what was said long before', () => {
    const log = [...sampleLines('memory/node-heap'), ...Array.from({ length: 10 }, (_, n) => `GET /${n} 200`)]
    expect(memoryDeath(lastWordsOf(log, 10))).toBeUndefined()
  })

  it.each([
    ['container exited with code 137'],
    ['exit code: 137'],
    ['npm ERR! Exit status 137'],
    ['Killed'],
    ['/app/start.sh: line 4:    17 Killed                  node server.js'],
    ['FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory'],
    ['OOMKilled'],
    ['Memory cgroup out of memory: Killed process 812 (node)'],
    ['fatal error: runtime: out of memory'],
  ])('is concluded from: %s', (line) => {
    expect(memoryDeath(['up', line])).toBe(line)
  })

  it.each([
    ['GET /orders/137 200'],
    ['exited after 137 requests'],
    ['step exited with 137 ms left'],
    ['The process will be sent SIGKILL in 10 s unless it stops'],
    ['Worker (pid:12) was sent SIGKILL! Perhaps out of memory?'],
    ['pid 137 exited on signal 15'],
    ['memory usage: 137 MiB'],
  ])('is not concluded from: %s', (line) => {
    expect(memoryDeath(['up', line])).toBeUndefined()
  })
})

describe('a place', () => {
  const files = new Set([
    'app/(auth)/[slug]/+page.svelte',
    'src/my file.ts',
    'packages/api/src/index.ts',
    'lib/shop/@images+x.ex',
    'src/App.cs',
    'config/prod.toml',
    'Dockerfile',
  ])
  it.each([
    ['app/(auth)/[slug]/+page.svelte:12:5 error: cannot find name', 'app/(auth)/[slug]/+page.svelte:12:5'],
    ['error: cannot find x in /srv/shop/app/(auth)/[slug]/+page.svelte(12,5)', 'app/(auth)/[slug]/+page.svelte:12:5'],
    ['Error: cannot parse (/app/src/my file.ts:3:1)', 'src/my file.ts:3:1'],
    ['../../packages/api/src/index.ts(2,35): error TS2835: not found', 'packages/api/src/index.ts:2:35'],
    ['src/index.ts(2,35): error TS2835: not found', 'packages/api/src/index.ts:2:35'],
    ['** (CompileError) lib/shop/@images+x.ex:7: undefined function', 'lib/shop/@images+x.ex:7'],
    ['error: cannot parse file "/build/src/App.cs", line 9', 'src/App.cs:9'],
    ['[ERROR] /app/src/App.cs:[9,2] cannot find symbol', 'src/App.cs:9:2'],
    ["error: Build file '/app/config/prod.toml' line: 4 is invalid", 'config/prod.toml:4'],
    ['error: dockerfile parse error in Dockerfile:4', 'Dockerfile:4'],
    ['error: not found /app/node_modules/x/src/App.cs:3:4', undefined],
    ['error: not found https://example.test/src/App.cs:3:4', undefined],
    ['error: not found /app/src/other.cs:3:4', undefined],
  ])('is read off: %s', (line, place) => {
    const [first] = diagnose(failed({ deployLogs: [line], files })).annotations
    const read = first && [first.file, first.line, first.column].filter((part) => part !== undefined).join(':')
    expect(read).toBe(place)
  })
})

describe('whatever the log holds', () => {
  it('the cause is one short line, and there are at most 10 annotations inside the repository', () => {
    const line = fc.oneof(
      fc.constantFrom(...SAMPLES.flatMap((sample) => sampleLines(sample).slice(0, 12))),
      fc.string({ unit: anyCharacter, maxLength: 60 }).map(sanitize),
    )
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 40 }),
        fc.array(line, { maxLength: 20 }),
        fc.constantFrom('failed', 'crashed', 'timed-out', 'unhealthy', 'cancelled'),
        fc.constantFrom('build', 'run', undefined),
        (deployLogs, runtimeLogs, status, phase) => {
          const diagnosis = diagnose(failed({ deployLogs, runtimeLogs, status, phase }))
          expect(diagnosis.cause).toMatch(/^[^\n\r]{1,260}$/)
          expect(diagnosis.annotations.length).toBeLessThanOrEqual(10)
          expect(diagnosis.annotations.every(({ file }) => !file.startsWith('/') && !file.includes('..'))).toBe(true)
        },
      ),
      { numRuns: 150 },
    )
  })

  it.each(['a', 'a.', '.', ' ', '1', 'exit ', 'code ', 'error: ', 'listening ', '\\"', 'a:1:', 'File "'])(
    'a thousand overlong lines of %j are searched within a second of CPU',
    (unit) => {
      const deployLogs = Array.from({ length: 1_000 }, () => unit.repeat(Math.ceil(2_000 / unit.length)))
      const before = process.cpuUsage()
      diagnose(failed({ deployLogs, runtimeLogs: deployLogs, phase: 'run' }))
      const { user, system } = process.cpuUsage(before)
      expect((user + system) / 1_000).toBeLessThan(1_000)
    },
  )

  it('the 5 000 lines that the watch keeps are searched within a second of CPU', () => {
    const lines = SAMPLES.filter((sample) => sample.startsWith('healthy/')).flatMap(sampleLines)
    const deployLogs = Array.from({ length: 5_000 }, (_, index) => lines[index % lines.length] ?? '')
    const before = process.cpuUsage()
    diagnose(failed({ deployLogs }))
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1_000).toBeLessThan(1_000)
  })
})
