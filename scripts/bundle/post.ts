// Where the bundle of the post step, which always runs afterwards begins.
import '../../src/post.ts'
