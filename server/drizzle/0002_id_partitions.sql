CREATE TABLE "kept_operation_ids" (
	"owner" bigint NOT NULL,
	"id" text NOT NULL,
	CONSTRAINT "kept_operation_ids_owner_id_pk" PRIMARY KEY("owner","id")
);
--> statement-breakpoint
-- By hand, for Drizzle knows no partitions. What there is becomes one partition as it stands, whatever its size; it ends
-- with the week of its last receipt. Its key also refuses what a process of the version before, which may still run,
-- would apply once more. Weeks are counted from the epoch, as id-partitions.ts counts them.
DROP INDEX "operation_ids_received";--> statement-breakpoint
ALTER TABLE "operation_ids" RENAME TO "operation_ids_first";--> statement-breakpoint
CREATE TABLE "operation_ids" (
	"owner" bigint NOT NULL,
	"id" text NOT NULL,
	"received_at" bigint NOT NULL
) PARTITION BY RANGE ("received_at");
--> statement-breakpoint
DO $$
DECLARE
	week_ms constant bigint := 7 * 24 * 60 * 60 * 1000;
	last_receipt bigint;
BEGIN
	SELECT max("received_at") INTO last_receipt FROM "operation_ids_first";
	IF last_receipt IS NULL THEN
		DROP TABLE "operation_ids_first";
	ELSE
		EXECUTE format(
			'ALTER TABLE "operation_ids" ATTACH PARTITION "operation_ids_first" FOR VALUES FROM (MINVALUE) TO (%s)',
			(last_receipt / week_ms + 1) * week_ms);
	END IF;
END $$;
--> statement-breakpoint
DROP INDEX "profiles_subject";--> statement-breakpoint
ALTER TABLE "profiles" ADD COLUMN "widget" text;--> statement-breakpoint
CREATE INDEX "live_chat_sessions_person" ON "live_chat_sessions" USING btree ("person");--> statement-breakpoint
CREATE INDEX "live_chat_sessions_terminated" ON "live_chat_sessions" USING btree ("terminated_at") WHERE "live_chat_sessions"."terminated_at" is not null;--> statement-breakpoint
CREATE INDEX "live_chat_tokens_person" ON "live_chat_tokens" USING btree ("person");--> statement-breakpoint
CREATE INDEX "profiles_persons" ON "profiles" USING btree ("key") WHERE "profiles"."kind" <> 'visitor';--> statement-breakpoint
CREATE INDEX "profiles_merged" ON "profiles" USING btree ("merged_into") WHERE "profiles"."merged_into" is not null;--> statement-breakpoint
CREATE INDEX "used_jwt_ids_expiry" ON "used_jwt_ids" USING btree ("expires_at");--> statement-breakpoint
CREATE UNIQUE INDEX "profiles_subject" ON "profiles" USING btree ("widget","subject_type","subject");