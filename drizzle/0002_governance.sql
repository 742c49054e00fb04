CREATE TABLE `admin_events` (
	`id` integer PRIMARY KEY NOT NULL,
	`at` integer NOT NULL,
	`organization_id` text NOT NULL,
	`actor` text NOT NULL,
	`type` text NOT NULL,
	`resource` text NOT NULL,
	`data` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `admin_events_organization` ON `admin_events` (`organization_id`,`id`);--> statement-breakpoint
CREATE TABLE `credit_entries` (
	`id` integer PRIMARY KEY NOT NULL,
	`organization_id` text NOT NULL,
	`account_id` text NOT NULL,
	`kind` text NOT NULL,
	`amount` integer NOT NULL,
	`reason` text NOT NULL,
	`actor` text NOT NULL,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `credit_entries_account` ON `credit_entries` (`account_id`,`id`);--> statement-breakpoint
CREATE TABLE `deliveries` (
	`id` text PRIMARY KEY NOT NULL,
	`organization_id` text NOT NULL,
	`webhook_id` text NOT NULL,
	`event` text NOT NULL,
	`body` text NOT NULL,
	`status` text NOT NULL,
	`attempts` integer NOT NULL,
	`next_at` integer,
	`last_status` integer,
	`last_error` text,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `deliveries_webhook` ON `deliveries` (`webhook_id`,`id`);--> statement-breakpoint
CREATE INDEX `deliveries_waiting` ON `deliveries` (`next_at`);--> statement-breakpoint
CREATE TABLE `records` (
	`kind` text NOT NULL,
	`id` text NOT NULL,
	`organization_id` text NOT NULL,
	`body` text NOT NULL,
	PRIMARY KEY(`kind`, `id`)
);
--> statement-breakpoint
ALTER TABLE `api_keys` ADD `policy` text;--> statement-breakpoint
ALTER TABLE `api_keys` ADD `older_hash` text;--> statement-breakpoint
ALTER TABLE `api_keys` ADD `older_until` integer;--> statement-breakpoint
ALTER TABLE `holds` ADD `team_id` text;--> statement-breakpoint
ALTER TABLE `holds` ADD `project_id` text;--> statement-breakpoint
ALTER TABLE `ledger` ADD `team_id` text;--> statement-breakpoint
ALTER TABLE `ledger` ADD `project_id` text;