/** A volume: it outlives the service that it was made for, detached, until somebody deletes it. */
export interface Volume {
  readonly name: string
  readonly accountId: string
  readonly projectRef: string
  readonly mountPath: string
  sizeGi: number
  /** The id of the service that it is attached to. */
  attachedTo: string | undefined
}

export interface Volumes {
  add(volume: Volume): void
  ofProject(accountId: string, projectRef: string): readonly Volume[]
  find(accountId: string, projectRef: string, name: string): Volume | undefined
  /** A service is gone: its volumes stay, detached. */
  detach(serviceId: string): void
  remove(volume: Volume): void
}

export function createVolumes(): Volumes {
  let volumes: Volume[] = []
  const ofProject = (accountId: string, projectRef: string) =>
    volumes.filter((volume) => volume.accountId === accountId && volume.projectRef === projectRef)
  return {
    add: (volume) => void volumes.push(volume),
    ofProject,
    find: (accountId, projectRef, name) => ofProject(accountId, projectRef).find((volume) => volume.name === name),
    detach(serviceId) {
      for (const volume of volumes) if (volume.attachedTo === serviceId) volume.attachedTo = undefined
    },
    remove(volume) {
      volumes = volumes.filter((candidate) => candidate !== volume)
    },
  }
}
