// A cohort of slides with Nextflow. NOT RUN: its launcher could not be had where this was written.
//
//     nextflow run main.nf --slides /data/slides.csv --out /data/predictions --shards 4
//
// Paths are absolute: jobs run in folders of their own and share the results' folder, where what they finished stays.
params.slides = null
params.out = null
params.shards = 4
params.histomask = 'histomask'
params.options = ''

process shard {
    errorStrategy 'retry'
    maxRetries 2

    input:
    val i

    output:
    val i

    script:
    """
    RAYON_NUM_THREADS=${task.cpus} ${params.histomask} predict ${params.slides} --out ${params.out} ${params.options} \
        --shard ${i}/${params.shards} || [ \$? = 1 ]
    """
}

process table {
    input:
    val shards

    output:
    stdout

    script:
    """
    RAYON_NUM_THREADS=${task.cpus} ${params.histomask} predict ${params.slides} --out ${params.out} ${params.options} || [ \$? = 1 ]
    python3 ${projectDir}/table.py ${params.out}/slides.csv ${params.out}/slides.json ${params.out}/cohort.csv
    """
}

workflow {
    Channel.of(1..params.shards) | shard | collect | table | view
}
