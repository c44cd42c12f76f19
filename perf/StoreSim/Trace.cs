namespace Breakwater.StoreSim;

/// <summary>
/// Requests as a site sees them: Zipf popularity that drifts (new software releases), scans (a job that reads everything once), and pinned
/// working sets. Everything follows from the seed. Without end.
/// </summary>
public sealed class Trace(int seed, double skew, double scanShare, double pinnedShareOfQuota, long quotaBytes)
{
    private const int DriftEvery = 2000; // requests between two replacements of a popular object

    /// <summary>Popular objects: their bytes are about six times the quota.</summary>
    private readonly int _objects = (int)(6 * quotaBytes / MeanBytes);

    private const long MeanBytes = 45_000;

    public IEnumerable<TraceRequest> Requests()
    {
        Random random = new(seed);
        double[] cumulative = Cumulative(_objects, skew);
        int[] idOfRank = [.. Enumerable.Range(0, _objects)];
        random.Shuffle(idOfRank);
        int nextId = _objects;
        int pinnedCount = (int)(pinnedShareOfQuota * quotaBytes / MeanBytes);
        int n = 0;
        while (true)
        {
            n++;
            if (n % DriftEvery == 0)
            {
                idOfRank[random.Next(_objects / 10)] = nextId++;
            }

            double kind = random.NextDouble();
            TraceRequest request;
            if (kind < scanShare)
            {
                request = new TraceRequest(nextId, SizeOf(nextId++), false);
            }
            else if (kind < scanShare + 0.02 && pinnedCount > 0)
            {
                int pinned = -1 - random.Next(pinnedCount);
                request = new TraceRequest(pinned, SizeOf(pinned), true);
            }
            else
            {
                int rank = Array.BinarySearch(cumulative, random.NextDouble());
                int id = idOfRank[Math.Min(rank < 0 ? ~rank : rank, _objects - 1)];
                request = new TraceRequest(id, SizeOf(id), false);
            }

            yield return request;
        }
    }

    /// <summary>Log-normal, 200 B to 8 MiB, mean about 45 kB: what chunks of CernVM-FS look like after compression.</summary>
    private static int SizeOf(int id)
    {
        Random random = new(id ^ 0x5bd1e995);
        double normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        return (int)Math.Clamp(Math.Exp(9.2 + (1.7 * normal)), 200, 8 << 20);
    }

    private static double[] Cumulative(int count, double skew)
    {
        double[] cumulative = new double[count];
        double sum = 0;
        for (int i = 0; i < count; i++)
        {
            cumulative[i] = sum += 1 / Math.Pow(i + 1, skew);
        }

        for (int i = 0; i < count; i++)
        {
            cumulative[i] /= sum;
        }

        return cumulative;
    }
}
