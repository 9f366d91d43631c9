CREATE TABLE "api_keys" (
	"id" text PRIMARY KEY NOT NULL,
	"hash" text NOT NULL,
	"scopes" text[] NOT NULL,
	"created_at" bigint NOT NULL,
	"revoked_at" bigint,
	CONSTRAINT "api_keys_hash_unique" UNIQUE("hash")
);
--> statement-breakpoint
CREATE TABLE "definitions" (
	"id" text PRIMARY KEY NOT NULL,
	"title" text,
	"properties" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "events" (
	"seq" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "events_seq_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"owner" bigint NOT NULL,
	"operation_id" text,
	"definition_id" text NOT NULL,
	"session_id" text NOT NULL,
	"occurred_at" bigint NOT NULL,
	"given_at" bigint NOT NULL,
	"received_at" bigint NOT NULL,
	"properties" jsonb,
	"page" jsonb,
	"closed_by" text
);
--> statement-breakpoint
CREATE TABLE "live_chat_sessions" (
	"id" text PRIMARY KEY NOT NULL,
	"person" bigint NOT NULL,
	"started_at" bigint NOT NULL,
	"terminated_at" bigint
);
--> statement-breakpoint
CREATE TABLE "live_chat_tokens" (
	"hash" text PRIMARY KEY NOT NULL,
	"session" text NOT NULL,
	"person" bigint NOT NULL,
	"superseded_at" bigint
);
--> statement-breakpoint
CREATE TABLE "operation_ids" (
	"owner" bigint NOT NULL,
	"id" text NOT NULL,
	"received_at" bigint NOT NULL,
	CONSTRAINT "operation_ids_owner_id_pk" PRIMARY KEY("owner","id")
);
--> statement-breakpoint
CREATE TABLE "profiles" (
	"key" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "profiles_key_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"kind" text NOT NULL,
	"id" text NOT NULL,
	"fields" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"subject_type" text,
	"subject" text,
	"created_at" bigint NOT NULL,
	"last_activity_at" bigint NOT NULL,
	"merged_into" bigint,
	"merged_at" bigint,
	"merged_given_at" bigint,
	"merged_clock_offset_ms" bigint
);
--> statement-breakpoint
CREATE TABLE "registrations" (
	"token_hash" text PRIMARY KEY NOT NULL,
	"profile" bigint NOT NULL,
	"api_key" text NOT NULL,
	"live_chat_token_hash" text,
	"expires_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "sessions" (
	"owner" bigint NOT NULL,
	"id" text NOT NULL,
	"started_at" bigint NOT NULL,
	"last_activity_at" bigint NOT NULL,
	"ended_at" bigint,
	"closing_seq" bigint,
	CONSTRAINT "sessions_owner_id_pk" PRIMARY KEY("owner","id")
);
--> statement-breakpoint
CREATE TABLE "used_jwt_ids" (
	"widget" text NOT NULL,
	"jti" text NOT NULL,
	"expires_at" bigint NOT NULL,
	CONSTRAINT "used_jwt_ids_widget_jti_pk" PRIMARY KEY("widget","jti")
);
--> statement-breakpoint
ALTER TABLE "live_chat_sessions" ADD CONSTRAINT "live_chat_sessions_person_profiles_key_fk" FOREIGN KEY ("person") REFERENCES "public"."profiles"("key") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "live_chat_tokens" ADD CONSTRAINT "live_chat_tokens_session_live_chat_sessions_id_fk" FOREIGN KEY ("session") REFERENCES "public"."live_chat_sessions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "live_chat_tokens" ADD CONSTRAINT "live_chat_tokens_person_profiles_key_fk" FOREIGN KEY ("person") REFERENCES "public"."profiles"("key") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "registrations" ADD CONSTRAINT "registrations_profile_profiles_key_fk" FOREIGN KEY ("profile") REFERENCES "public"."profiles"("key") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "registrations" ADD CONSTRAINT "registrations_api_key_api_keys_id_fk" FOREIGN KEY ("api_key") REFERENCES "public"."api_keys"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "events_timeline" ON "events" USING btree ("owner","occurred_at","seq");--> statement-breakpoint
CREATE INDEX "live_chat_tokens_session" ON "live_chat_tokens" USING btree ("session");--> statement-breakpoint
CREATE INDEX "operation_ids_received" ON "operation_ids" USING brin ("received_at");--> statement-breakpoint
CREATE UNIQUE INDEX "profiles_kind_id" ON "profiles" USING btree ("kind","id");--> statement-breakpoint
CREATE UNIQUE INDEX "profiles_subject" ON "profiles" USING btree ("subject_type","subject");--> statement-breakpoint
CREATE INDEX "profiles_idle_visitors" ON "profiles" USING btree ("last_activity_at") WHERE "profiles"."kind" = 'visitor' and "profiles"."merged_into" is null;--> statement-breakpoint
CREATE INDEX "registrations_profile" ON "registrations" USING btree ("profile");--> statement-breakpoint
CREATE INDEX "registrations_expiry" ON "registrations" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "sessions_activity" ON "sessions" USING btree ("last_activity_at");--> statement-breakpoint
CREATE INDEX "sessions_open" ON "sessions" USING btree ("last_activity_at") WHERE "sessions"."ended_at" is null and "sessions"."closing_seq" is null;