import type { App, Comment, Issue, IssueEvent, Issuer, Label, PushedCommits, Reaction, User } from './model.ts'

/** What is said about the issues and pull requests of one repository: comments, reactions, labels, their history. */
export class Conversation {
  readonly #issuer: Issuer
  readonly #comments = new Map<number, Comment>()
  readonly #reactions: Reaction[] = []
  readonly #labels = new Map<string, Label>()
  readonly #events: IssueEvent[] = []
  readonly #pushes: PushedCommits[] = []

  constructor(issuer: Issuer) {
    this.#issuer = issuer
  }

  /** Comments of one issue or pull request, oldest first. */
  comments(issueNumber: number): readonly Comment[] {
    return [...this.#comments.values()].filter((comment) => comment.issueNumber === issueNumber)
  }

  comment(id: number): Comment | undefined {
    return this.#comments.get(id)
  }

  addComment(issueNumber: number, body: string, user: User, app?: App): Comment {
    const now = this.#issuer.now()
    const comment: Comment = {
      id: this.#issuer.nextId(),
      issueNumber,
      body,
      user,
      app,
      createdAt: now,
      updatedAt: now,
    }
    this.#comments.set(comment.id, comment)
    return comment
  }

  editComment(id: number, body: string): Comment | undefined {
    const comment = this.#comments.get(id)
    if (!comment) return undefined
    comment.body = body
    comment.updatedAt = this.#issuer.now()
    return comment
  }

  deleteComment(id: number): boolean {
    return this.#comments.delete(id)
  }

  reactions(commentId: number): readonly Reaction[] {
    return this.#reactions.filter((reaction) => reaction.commentId === commentId)
  }

  /** Reacts once per user and content: the second time, GitHub answers with the first reaction. */
  react(
    commentId: number,
    content: Reaction['content'],
    user: User,
  ): { readonly reaction: Reaction; readonly created: boolean } {
    const existing = this.reactions(commentId).find((one) => one.content === content && one.user.login === user.login)
    if (existing) return { reaction: existing, created: false }
    const reaction: Reaction = { id: this.#issuer.nextId(), commentId, content, user, createdAt: this.#issuer.now() }
    this.#reactions.push(reaction)
    return { reaction, created: true }
  }

  deleteReaction(id: number): boolean {
    const index = this.#reactions.findIndex((reaction) => reaction.id === id)
    if (index >= 0) this.#reactions.splice(index, 1)
    return index >= 0
  }

  labels(): readonly Label[] {
    return [...this.#labels.values()]
  }

  /** The repository's label of that name; case does not matter. */
  label(name: string): Label | undefined {
    return this.#labels.get(name.toLowerCase())
  }

  defineLabel(name: string, color = 'ededed', description = ''): Label {
    const label: Label = { id: this.#issuer.nextId(), name, color, description }
    this.#labels.set(name.toLowerCase(), label)
    return label
  }

  addLabel(issue: Issue, name: string, actor: User): void {
    const label = this.label(name) ?? this.defineLabel(name)
    if (issue.labels.includes(label.name)) return
    issue.labels.push(label.name)
    this.record(issue.number, 'labeled', actor, { label: label.name })
  }

  removeLabel(issue: Issue, name: string, actor: User): boolean {
    const index = issue.labels.findIndex((label) => label.toLowerCase() === name.toLowerCase())
    if (index < 0) return false
    issue.labels.splice(index, 1)
    this.record(issue.number, 'unlabeled', actor, { label: name })
    return true
  }

  /** Commits that came to a pull request, in the order in which they came. */
  pushes(issueNumber: number): readonly PushedCommits[] {
    return this.#pushes.filter((push) => push.issueNumber === issueNumber)
  }

  recordPush(issueNumber: number, shas: readonly string[]): void {
    this.#pushes.push({ id: this.#issuer.nextId(), issueNumber, shas, receivedAt: this.#issuer.now() })
  }

  events(issueNumber: number): readonly IssueEvent[] {
    return this.#events.filter((event) => event.issueNumber === issueNumber)
  }

  record(
    issueNumber: number,
    event: IssueEvent['event'],
    actor: User,
    more: { readonly label?: string; readonly commitSha?: string } = {},
  ): void {
    this.#events.push({
      id: this.#issuer.nextId(),
      issueNumber,
      event,
      actor,
      label: more.label,
      commitSha: more.commitSha,
      createdAt: this.#issuer.now(),
    })
  }
}
