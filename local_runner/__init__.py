"""Run the project's .dig files as Digdag 0.10.5 does: on local files, or on Treasure Data.

What is not known to mean the same as on Digdag is refused with its file and line before any task
runs. A file imports only files of its own line and of the lines below it:

    __main__                          the command line: run, sql, archive
      command  sql  archive           one file for each of the three
        rehearsal                     queries translated before the run, on local tables
          required                    the workflows that require> names
            run  resume               the tree in order, retries; the rest of an earlier run
              checks/                 what can be refused before the run is refused
                operators             OPERATORS: what each operator does
                  td/  processes/     td> and its family; py> and sh>, each a process
                  network             http> and mail>
                    together          tasks at the same time, whole outputs, Ctrl-C
                    config_values     parameters as the types that operators want
                      task_request    what an operator receives and leaves
                        td/account    Treasure Data's address and key
                        workflow/     files, sessions, tasks, parameters, `${...}`
                          javascript/ the language inside of `${...}`, in a process of its own
                            bounds/   what a workflow may cost, and characters that nobody can write

To add an operator:

1. `operators.py`: a function from a `TaskRequest` to a `TaskResult` and its row in OPERATORS; an
   operator with more than a few lines has a file of its own in `processes/` or `td/`.
2. `checks/operators.py`: a function that refuses what is not known to work, and its row in CHECKS.
3. `docs/local_runner.md`: its name. `tests/local_runner/workflows.yml`: its cases; one that the
   real Digdag has run goes to `tests/conformance/digdag/cases.jsonl`, where every case is equal or
   refused.
"""
