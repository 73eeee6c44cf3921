// Package proof makes and checks proof.json: a document by which a stranger, offline and with nothing but the log's
// public key, sees that a record stood in a ledger at a position, and with a receipt, that given bytes were its answer.
//
// What does not belong here: how records are kept, where tree hashes come from, and any decision who may have a proof.
//
// Invariants:
//   - Verify trusts the keys in its Options and nothing in the document: every byte that it shows as proven is bound to
//     the log's signature by hashes.
//   - What Verify does not understand does not hold: unknown keys, doubled keys and fields of later versions are faults.
//   - Neither a document nor a record can make it panic, or work longer than their size explains.
//   - No part of a receipt's key, of the request or of the answer is in any output.
package proof

// Version names the form of the documents that this package makes and reads.
const Version = "lienthong-proof/v1"

// MaxSize is the largest document, in bytes.
const MaxSize = 4 << 20

// LogPrefix stands before a ledger's origin in the first line of its log's checkpoints.
const LogPrefix = "lienthong/"
