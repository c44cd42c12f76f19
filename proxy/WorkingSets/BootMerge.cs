using Breakwater.Proxy.Snapshots;
using Breakwater.Repositories;

namespace Breakwater.Proxy.WorkingSets;

/// <summary>Several boots become one working set: what most of them read, in the order in which most of them read it.</summary>
internal static class BootMerge
{
    /// <summary>What fewer boots than this share read is noise.</summary>
    public const double MinShare = 0.5;

    /// <summary>Merges.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="name">The set's name.</param>
    /// <param name="boots">The boots, at least one.</param>
    /// <param name="now">When.</param>
    public static WorkingSet Merge(Fqrn repository, string name, IReadOnlyList<BootProfile> boots, DateTimeOffset now)
    {
        // A warm reboot, or one that broke off, reads little: it says nothing about what a whole boot needs.
        int most = boots.Max(boot => boot.Entries.Count);
        BootProfile[] whole = [.. boots.Where(boot => boot.Entries.Count * 2 >= most)];

        Dictionary<object, Tally> tallies = [];
        for (int boot = 0; boot < whole.Length; boot++)
        {
            for (int rank = 0; rank < whole[boot].Entries.Count; rank++)
            {
                WorkingSetEntry entry = whole[boot].Entries[rank];
                object identity = entry.Path is { } path ? (path, entry.IsCatalogOnly) : entry.Key!.Value;
                if (!tallies.TryGetValue(identity, out Tally? tally))
                {
                    tallies[identity] = tally = new Tally();
                }

                tally.Add(boot, rank, entry);
            }
        }

        return new WorkingSet
        {
            Name = name,
            Repository = repository,
            Source = WorkingSetSource.Learned,
            Snapshots = CommonSnapshots(whole),
            Entries = [.. tallies.Values.Where(tally => tally.Boots >= MinShare * whole.Length)
                .OrderBy(tally => tally.MedianRank).ThenBy(tally => tally.MedianOffset).Select(tally => tally.ToEntry(whole.Length))],
            WholeDirectories = [.. whole.SelectMany(boot => boot.WholeDirectories).GroupBy(directory => directory, StringComparer.Ordinal)
                .Where(group => group.Count() * 2 > whole.Length).Select(group => group.Key).Order(StringComparer.Ordinal)],
            Boots = whole.Length,
            UpdatedAt = now,
        };
    }

    /// <summary>
    /// The tags that fit all boots: with each publish, those that only happened to show the same snapshot fall away. When none fits all,
    /// the newest boot's count.
    /// </summary>
    private static IReadOnlyList<string> CommonSnapshots(BootProfile[] boots)
    {
        string[] common =
            [.. boots.Skip(1)
            .Aggregate(boots[0].Snapshots.AsEnumerable(), (left, boot) => left.Intersect(boot.Snapshots, StringComparer.Ordinal))];
        return common.Length > 0 ? common : boots[^1].Snapshots;
    }

    private sealed class Tally
    {
        private readonly List<int> _ranks = [];
        private readonly List<TimeSpan> _offsets = [];
        private readonly HashSet<Stretch> _ranges = [];
        private WorkingSetEntry? _first;
        private bool _isWhole;
        private int _lastBoot = -1;

        public int Boots { get; private set; }

        public double MedianRank => Median([.. _ranks.Select(rank => (double)rank)]);

        public TimeSpan MedianOffset => TimeSpan.FromTicks((long)Median([.. _offsets.Select(offset => (double)offset.Ticks)]));

        public void Add(int boot, int rank, WorkingSetEntry entry)
        {
            _first ??= entry;
            if (boot != _lastBoot)
            {
                _lastBoot = boot;
                Boots++;
                _ranks.Add(rank);
                _offsets.Add(entry.Offset ?? TimeSpan.Zero);
            }

            _isWhole |= entry.Ranges is null;
            _ranges.UnionWith(entry.Ranges ?? []);
        }

        public WorkingSetEntry ToEntry(int boots) => _first! with
        {
            Ranges = _isWhole ? null : [.. _ranges.OrderBy(range => range.Offset)],
            Share = (double)Boots / boots,
            Offset = MedianOffset,
        };

        private static double Median(double[] values)
        {
            Array.Sort(values);
            int middle = values.Length / 2;
            return values.Length % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
        }
    }
}
