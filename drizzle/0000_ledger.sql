CREATE TABLE `api_keys` (
	`id` text PRIMARY KEY NOT NULL,
	`organization_id` text NOT NULL,
	`name` text NOT NULL,
	`mode` text NOT NULL,
	`hash` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer,
	`revoked_at` integer,
	`response_metadata` text NOT NULL,
	`drop_params` integer NOT NULL,
	FOREIGN KEY (`organization_id`) REFERENCES `organizations`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `api_keys_organization` ON `api_keys` (`organization_id`);--> statement-breakpoint
CREATE TABLE `holds` (
	`id` integer PRIMARY KEY NOT NULL,
	`attempt_id` text NOT NULL,
	`request_id` text NOT NULL,
	`attempt_number` integer NOT NULL,
	`held_at` integer NOT NULL,
	`organization_id` text NOT NULL,
	`key_id` text NOT NULL,
	`mode` text NOT NULL,
	`door` text NOT NULL,
	`provider` text NOT NULL,
	`model_requested` text NOT NULL,
	`model_served` text NOT NULL,
	`stream` integer NOT NULL,
	`tag` text,
	`agent` text,
	`run` text,
	`user` text,
	`price_version` text,
	`bound` integer,
	`decision` text,
	`epoch` integer NOT NULL,
	CONSTRAINT "holds_bound" CHECK(bound >= 0)
);
--> statement-breakpoint
CREATE TABLE `leases` (
	`id` integer PRIMARY KEY NOT NULL,
	`epoch` integer NOT NULL,
	`owner` text NOT NULL,
	`expires_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `ledger` (
	`id` integer PRIMARY KEY NOT NULL,
	`attempt_id` text NOT NULL,
	`request_id` text NOT NULL,
	`attempt_number` integer NOT NULL,
	`held_at` integer NOT NULL,
	`organization_id` text NOT NULL,
	`key_id` text NOT NULL,
	`mode` text NOT NULL,
	`door` text NOT NULL,
	`provider` text NOT NULL,
	`model_requested` text NOT NULL,
	`model_served` text NOT NULL,
	`stream` integer NOT NULL,
	`tag` text,
	`agent` text,
	`run` text,
	`user` text,
	`price_version` text,
	`bound` integer,
	`decision` text,
	`settlement` text NOT NULL,
	`usage_source` text NOT NULL,
	`cost` integer,
	`input_tokens` integer,
	`output_tokens` integer,
	`cache_read_input_tokens` integer,
	`cache_creation_input_tokens` integer,
	`cache_creation_1h_input_tokens` integer,
	`reasoning_output_tokens` integer,
	`input_audio_tokens` integer,
	`output_audio_tokens` integer,
	`output_image_tokens` integer,
	`cache_read_audio_tokens` integer,
	`tool_calls` text,
	`service_tier` text,
	`reported_cost` integer,
	`upstream_status` integer,
	`error_code` text,
	`finish_reason` text,
	`latency_ms` real NOT NULL,
	`time_to_first_chunk_ms` real,
	`flags` text NOT NULL,
	`settled_at` integer NOT NULL,
	CONSTRAINT "ledger_cost" CHECK(cost >= 0)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `ledger_attempt` ON `ledger` (`organization_id`,`request_id`,`attempt_number`);--> statement-breakpoint
CREATE INDEX `ledger_key_request` ON `ledger` (`key_id`,`request_id`);--> statement-breakpoint
CREATE TABLE `organizations` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`status` text NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `price_versions` (
	`version` text PRIMARY KEY NOT NULL,
	`provider` text NOT NULL,
	`model` text NOT NULL,
	`source` text NOT NULL,
	`date` text NOT NULL,
	`figures` text NOT NULL,
	`kept_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `refusals` (
	`id` integer PRIMARY KEY NOT NULL,
	`request_id` text NOT NULL,
	`at` integer NOT NULL,
	`organization_id` text NOT NULL,
	`key_id` text NOT NULL,
	`mode` text NOT NULL,
	`door` text NOT NULL,
	`model_requested` text,
	`status` integer NOT NULL,
	`error_code` text NOT NULL,
	`tag` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `refusals_organization_request` ON `refusals` (`organization_id`,`request_id`);--> statement-breakpoint
CREATE INDEX `refusals_key_request` ON `refusals` (`key_id`,`request_id`);--> statement-breakpoint
CREATE TABLE `settings` (
	`name` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL
);
