using Breakwater.CacheStore;

namespace Breakwater.Proxy.Hits;

/// <summary>
/// Which runs of mapped bytes were found in the page cache a moment ago: what is asked for again and again does not leave it meanwhile, and
/// each question (mincore) costs as much as a small answer. Thread-safe.
/// </summary>
internal sealed class ResidentRuns
{
    private const int Slots = 1 << 13;
    private const int MomentBits = 10;

    /// <summary>Of <see cref="Environment.TickCount64"/>: 512 ms.</summary>
    private const int ShiftToMoment = 9;

    private readonly long[] _found = new long[Slots];   // page number and moment of a run's beginning, in one word

    /// <summary>Is all of it in the page cache, as far as is known?</summary>
    public bool Contains(in MappedRun run)
    {
        long moment = (Environment.TickCount64 >> ShiftToMoment) & ((1 << MomentBits) - 1);
        long entry = (run.Address << MomentBits) | moment;
        ref long slot = ref _found[(int)(((ulong)run.Address * 0x9E3779B97F4A7C15) >> 51)];
        if (Volatile.Read(ref slot) == entry)
        {
            return true;
        }

        if (!run.IsResident())
        {
            return false;
        }

        Volatile.Write(ref slot, entry);
        return true;
    }
}
