-- What balances are made of and what administrators did are insert-only too.
CREATE TRIGGER `credit_entries_no_update` BEFORE UPDATE ON `credit_entries` BEGIN SELECT RAISE(ABORT, 'credit entries never change'); END;
--> statement-breakpoint
CREATE TRIGGER `credit_entries_no_delete` BEFORE DELETE ON `credit_entries` BEGIN SELECT RAISE(ABORT, 'credit entries are never deleted'); END;
--> statement-breakpoint
CREATE TRIGGER `admin_events_no_update` BEFORE UPDATE ON `admin_events` BEGIN SELECT RAISE(ABORT, 'admin events never change'); END;
--> statement-breakpoint
CREATE TRIGGER `admin_events_no_delete` BEFORE DELETE ON `admin_events` BEGIN SELECT RAISE(ABORT, 'admin events are never deleted'); END;
