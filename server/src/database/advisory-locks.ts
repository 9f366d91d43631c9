/**
 * The keys of the service's advisory locks, by which its processes on one PostgreSQL take turns. They may be any numbers
 * that no other program on the database uses.
 */
export const ADVISORY_LOCKS = {
  migrations: 4_031_032,
  partitions: 4_031_033,
  sweep: 4_031_034,
} as const;
