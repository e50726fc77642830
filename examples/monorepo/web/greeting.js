export const greeting = 'Hello from ml.ink'
