"""Entry point of `python -m copydesk` and of the `copydesk` script."""

from copydesk.safe_path import leave_out_current_folder

leave_out_current_folder()  # before anything else is imported

from copydesk.interrupt import end_at_interrupt  # noqa: E402

end_at_interrupt()  # before what takes time to import

from copydesk.cli import main  # noqa: E402

if __name__ == "__main__":
    main()
