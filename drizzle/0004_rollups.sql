CREATE TABLE `rollup_blocks` (
	`id` integer PRIMARY KEY NOT NULL,
	`first_id` integer NOT NULL,
	`rows` integer NOT NULL,
	`from_held_at` integer NOT NULL,
	`to_held_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `rollup_columns` (
	`name` text NOT NULL,
	`block` integer NOT NULL,
	`body` blob NOT NULL,
	PRIMARY KEY(`name`, `block`)
);
--> statement-breakpoint
CREATE TABLE `rollup_values` (
	`dimension` text NOT NULL,
	`id` integer NOT NULL,
	`value` text NOT NULL,
	PRIMARY KEY(`dimension`, `value`)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `rollup_values_id` ON `rollup_values` (`dimension`,`id`);--> statement-breakpoint
ALTER TABLE `holds` ADD `tier` text;--> statement-breakpoint
ALTER TABLE `holds` ADD `intent` text;--> statement-breakpoint
ALTER TABLE `ledger` ADD `tier` text;--> statement-breakpoint
ALTER TABLE `ledger` ADD `intent` text;