"""A ReFrame configuration of one machine without a scheduler, as an example: mpirun starts the ranks.  A cluster has its
own, with scheduler, partitions and modules (https://reframe-hpc.readthedocs.io)."""

site_configuration = {
    "systems": [
        {
            "name": "machine",
            "descr": "one machine",
            "hostnames": [".*"],
            "partitions": [
                {
                    "name": "cores",
                    "scheduler": "local",
                    "launcher": "mpirun",
                    "environs": ["mpi"],
                    "env_vars": [["OMPI_ALLOW_RUN_AS_ROOT", "1"], ["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"]],
                }
            ],
        }
    ],
    "environments": [{"name": "mpi", "cc": "mpicc", "features": ["mpi"]}],
}
