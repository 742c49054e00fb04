-- The ledger is insert-only, and so are the prices it names.
CREATE TRIGGER `ledger_no_update` BEFORE UPDATE ON `ledger` BEGIN SELECT RAISE(ABORT, 'ledger rows never change'); END;
--> statement-breakpoint
CREATE TRIGGER `ledger_no_delete` BEFORE DELETE ON `ledger` BEGIN SELECT RAISE(ABORT, 'ledger rows are never deleted'); END;
--> statement-breakpoint
CREATE TRIGGER `price_versions_no_update` BEFORE UPDATE ON `price_versions` BEGIN SELECT RAISE(ABORT, 'price versions never change'); END;
--> statement-breakpoint
CREATE TRIGGER `price_versions_no_delete` BEFORE DELETE ON `price_versions` BEGIN SELECT RAISE(ABORT, 'price versions are never deleted'); END;
