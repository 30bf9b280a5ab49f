/** Named points of deploy, promote, roll back and retire, for the kill matrix (see Probe). */
export const controlProbePoints = [
  'deploy.bundle-stored',
  'deploy.registered',
  'cut-over.hold-requested',
  'cut-over.held',
  'cut-over.decided',
  'retire.decided',
  'retire.topics-deleted',
  'retire.removed',
] as const

export type ControlProbePoint = (typeof controlProbePoints)[number]
