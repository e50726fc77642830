process.argv[2] = 'post'
await import('../main/index.js')
