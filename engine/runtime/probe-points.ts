/** Named points of a task's life, for the kill matrix and the simulation (see Probe). */
export const runtimeProbePoints = [
  'recover.fenced',
  'recover.restored',
  'recover.rerun',
  'recover.done',
  'commit.sent',
  'commit.acknowledged',
] as const
