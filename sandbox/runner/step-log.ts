import { parseCommand, type WorkflowCommand } from './command.ts'
import type { Masker } from './masker.ts'

export interface Annotation {
  readonly level: 'error' | 'warning' | 'notice'
  readonly message: string
  readonly title?: string
  readonly file?: string
  readonly line?: number
  readonly endLine?: number
  readonly column?: number
  readonly endColumn?: number
}

/** GitHub keeps this many annotations per level and step, and this many characters of each. */
const MOST_ANNOTATIONS = 10
const LONGEST_ANNOTATION = 4096

/** What one step of a job has written, as the runner understands it: commands obeyed, secrets hidden. */
export class StepLog {
  readonly annotations: Annotation[] = []
  /** Annotations past the tenth of their level: in the log, but not on the run's page. */
  droppedAnnotations = 0
  readonly outputs = new Map<string, string>()
  readonly state = new Map<string, string>()
  readonly environment = new Map<string, string>()
  /** Set when a command could not be obeyed: the step has then failed, whatever its exit code. */
  commandFailed = false
  readonly #masker: Masker
  readonly #debug: boolean
  readonly #workspace: string
  readonly #onLine: (line: string) => void
  #echo = false
  #stopToken: string | undefined

  constructor(options: {
    readonly masker: Masker
    readonly debug: boolean
    readonly workspace: string
    readonly onLine: (line: string) => void
  }) {
    this.#masker = options.masker
    this.#debug = options.debug
    this.#workspace = options.workspace
    this.#onLine = options.onLine
  }

  /** A line that the process wrote, to either stream: the runner treats both alike. */
  receive(line: string): void {
    const command = line === '' ? undefined : parseCommand(line, this.#stopToken)
    if (!command || !this.#obey(command, line)) this.print(line)
  }

  /** Shows a line with all secrets hidden. */
  print(line: string): void {
    this.#onLine(this.#masker.mask(line))
  }

  debug(line: string): void {
    if (this.#debug) this.print(`##[debug]${line}`)
  }

  /** Shows an annotation in the log and keeps it, up to the limit. */
  annotate(annotation: Annotation): void {
    this.print(`##[${annotation.level}]${annotation.message}`)
    const kept = this.annotations.filter((one) => one.level === annotation.level).length
    if (kept >= MOST_ANNOTATIONS) {
      this.droppedAnnotations += 1
      return
    }
    const title = annotation.title === undefined ? {} : { title: this.#masker.mask(annotation.title) }
    const message = this.#masker.mask(annotation.message).slice(0, LONGEST_ANNOTATION)
    this.annotations.push({ ...annotation, message, ...title })
  }

  #obey(command: WorkflowCommand, line: string): boolean {
    const name = command.name.toLowerCase()
    if (this.#stopToken !== undefined) {
      if (name !== this.#stopToken.toLowerCase()) return false
      this.print(line)
      this.#stopToken = undefined
      return true
    }
    if (name === 'stop-commands') {
      this.print(line)
      this.#stopToken = command.data
      return true
    }
    if (this.#echo && !QUIET.includes(name)) this.print(line)
    this.#run(name, command, line)
    return true
  }

  #run(name: string, command: WorkflowCommand, line: string): void {
    switch (name) {
      case 'error':
      case 'warning':
      case 'notice':
        this.annotate(this.#annotationOf(name, command))
        return
      case 'group':
        this.print(`##[group]${command.data}`)
        return
      case 'endgroup':
        this.print('##[endgroup]')
        return
      case 'debug':
        this.debug(command.data)
        return
      case 'add-mask':
        this.#addMask(command)
        return
      case 'echo':
        this.#setEcho(command, line)
        return
      case 'set-output':
        this.#setNamed(this.outputs, command, line)
        return
      case 'save-state':
        this.#setNamed(this.state, command, line)
        return
      case 'set-env':
      case 'add-path':
        this.#fail(line, `The \`${name}\` command is disabled. Please upgrade to using Environment Files.`)
        return
      default:
        // Problem matchers change nothing that a run's result shows here.
        this.debug(`${name} is not imitated`)
    }
  }

  #addMask(command: WorkflowCommand): void {
    if (command.data.trim() === '') {
      this.annotate({ level: 'warning', message: "Can't add secret mask for empty string in ##[add-mask] command." })
      return
    }
    if (this.#echo) this.print('::add-mask::***')
    this.#masker.add(command.data)
  }

  #setEcho(command: WorkflowCommand, line: string): void {
    const value = command.data.trim().toLowerCase()
    if (value === 'on' || value === 'off') this.#echo = value === 'on'
    else
      this.#fail(
        line,
        `Invalid echo command value. Possible values can be: 'on', 'off'. Current value is: '${command.data}'.`,
      )
  }

  #setNamed(target: Map<string, string>, command: WorkflowCommand, line: string): void {
    const name = command.properties.get('name')
    if (name === undefined) this.#fail(line, `Required field 'name' is missing in ##[${command.name}] command.`)
    else target.set(name, command.data)
  }

  #fail(line: string, reason: string): void {
    this.annotate({ level: 'error', message: `Unable to process command '${line}' successfully.` })
    this.annotate({ level: 'error', message: reason })
    this.commandFailed = true
  }

  #annotationOf(level: Annotation['level'], command: WorkflowCommand): Annotation {
    const number = (key: string): number | undefined => {
      const value = Number(command.properties.get(key))
      return Number.isInteger(value) && value > 0 ? value : undefined
    }
    const title = command.properties.get('title')
    const file = command.properties.get('file')
    const [line, endLine, column, endColumn] = [number('line'), number('endline'), number('col'), number('endcolumn')]
    return {
      level,
      message: command.data,
      ...(title === undefined ? {} : { title }),
      ...(file === undefined ? {} : { file: this.#relative(file) }),
      ...(line === undefined ? {} : { line }),
      ...(endLine === undefined ? {} : { endLine }),
      ...(column === undefined ? {} : { column }),
      ...(endColumn === undefined ? {} : { endColumn }),
    }
  }

  #relative(file: string): string {
    return file.startsWith(`${this.#workspace}/`) ? file.slice(this.#workspace.length + 1) : file
  }
}

/** Commands that `echo` does not repeat. */
const QUIET = ['add-mask', 'debug', 'error', 'warning', 'notice']
