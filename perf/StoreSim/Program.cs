using System.Globalization;
using Breakwater.StoreSim;

// StoreSim [quota MiB]              byte hit ratio and write amplification of eviction policies on the same traces
// StoreSim open <objects> [rounds]  time to open a store with so many objects, and its memory (perf/store-open.py)
// StoreSim make <objects> <path>    such a store
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is ["open", string objects, ..])
{
    await OpenBench.RunAsync(int.Parse(objects, CultureInfo.InvariantCulture), args.Length > 2
        ? int.Parse(args[2], CultureInfo.InvariantCulture)
        : 3);
    return;
}

if (args is ["make", string number, string path])
{
    OpenBench.MakeAt(path, int.Parse(number, CultureInfo.InvariantCulture));
    return;
}

long quota = (args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 512) * (1L << 20);
(string Name, double Skew, double Scans, double Pinned)[] traces =
[
    ("zipf 0.8", 0.8, 0, 0),
    ("zipf 1.0", 1.0, 0, 0),
    ("zipf 0.8 + 30 % scans", 0.8, 0.3, 0),
    ("zipf 1.0 + 30 % scans", 1.0, 0.3, 0),
    ("zipf 0.9 + 20 % scans + pins 20 %", 0.9, 0.2, 0.2),
    ("zipf 0.9 + 20 % scans + pins 50 %", 0.9, 0.2, 0.5),
];
Console.WriteLine($"quota {quota >> 20} MiB, segments of quota/64, LRU takes in 10 x the quota; byte hit ratio (write amplification)");
foreach (var (name, skew, scans, pinned) in traces)
{
    SimulatedCache[] caches =
        [new LruCache(quota), new ClockCache(quota), new S3FifoCache(quota), new LfuCache(quota), new SegmentedCache(quota, quota / 64)];
    long[] hitBytes = new long[caches.Length];
    long[] missBytes = new long[caches.Length];
    foreach (TraceRequest request in new Trace(1, skew, scans, pinned, quota).Requests())
    {
        for (int i = 0; i < caches.Length; i++)
        {
            if (caches[i].Access(request))
            {
                hitBytes[i] += request.SizeBytes;
            }
            else
            {
                missBytes[i] += request.SizeBytes;
            }
        }

        if (missBytes[0] > 10 * quota)
        {
            break;
        }
    }

    Console.WriteLine($"{name,-36}" + string.Join("  ", caches.Select((cache, i) =>
        $"{cache.Name} {100.0 * hitBytes[i] / (hitBytes[i] + missBytes[i]):F1} % ({(double)cache.WrittenBytes / missBytes[i]:F2})"))
        + $"  pinned lost by the store: {caches[^1].LostPinned}");
}
