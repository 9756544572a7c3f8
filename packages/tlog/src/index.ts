export { type AuthenticatedTiles, openAuthenticatedTiles } from './authenticated-tiles.ts'
export {
  type Checkpoint,
  formatCheckpointText,
  parseCheckpoint,
  parseCheckpointText,
  type SignedCheckpoint,
  signCheckpoint,
} from './checkpoint.ts'
export { MAX_ENTRY_BYTES, readEntryBundle, writeEntryBundle } from './entry-bundle.ts'
export {
  emptyRoot,
  HASH_BYTES,
  type HashSource,
  hashChildren,
  hashLeaf,
  rangeHash,
  treeRoot,
} from './merkle-tree.ts'
export {
  createSigningKey,
  isSameKey,
  type NoteKey,
  type NoteKeyType,
  type NoteSigningKey,
  parseVkey,
} from './note-key.ts'
export { type Proof, proveConsistency, proveInclusion, verifyConsistency, verifyInclusion } from './proofs.ts'
export {
  formatNote,
  formatSignatureLine,
  type NoteSignature,
  type NoteSigner,
  type NoteVerifier,
  openNote,
  parseNote,
  parseSignatureLine,
  type SignedNote,
  signText,
  verifiedSignatures,
} from './signed-note.ts'
export {
  assertTileLength,
  bundlePath,
  createTileHashSource,
  type EntryBundle,
  MissingTileError,
  newTiles,
  parseTilePath,
  TILE_WIDTH,
  type Tile,
  tileAt,
  tilePath,
  withTiles,
} from './tiles.ts'
export { TlogError, type TlogErrorCode } from './tlog-error.ts'
export { formatTlogProof, parseTlogProof, type TlogProof, verifyTlogProof } from './tlog-proof.ts'
export { createTreeAppender, type TreeAppender } from './tree-appender.ts'
export {
  checkTrust,
  parseTrustPolicy,
  type Quorum,
  type TrustOptions,
  type TrustPolicy,
  type Witness,
} from './trust-policy.ts'
export {
  type AddCheckpointRequest,
  formatAddCheckpoint,
  judgeAddCheckpoint,
  parseAddCheckpoint,
  type WitnessVerdict,
} from './witness-protocol.ts'
