/** What the links between nodes are told when the node starts. */
export interface LinkSettings {
  /** Bytes that are kept for each node: `hive.cluster_max_queue`. */
  readonly maxBytes: number;
  /** How long everything is kept for a node that is lost, ms: `hive.cluster_resume`. */
  readonly resumeMs: number;
  /**
   * Where sessions outlive their nodes: resolves when what came until now outlives this one, too; undefined if it does already.
   */
  readonly stored?: (() => Promise<void> | undefined) | undefined;
}
