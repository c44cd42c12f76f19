namespace Breakwater.ClusterSim;

/// <summary>Bytes that were sent, all and by the second.</summary>
internal sealed class Egress
{
    private readonly List<long> _seconds = [];

    /// <summary>All of them.</summary>
    public long Bytes { get; private set; }

    /// <summary>The most within a second, MB.</summary>
    public double PeakMegabytes => _seconds.Count == 0 ? 0 : _seconds.Max() / 1e6;

    /// <summary>Some more.</summary>
    /// <param name="at">When, microseconds.</param>
    /// <param name="bytes">How many.</param>
    public void Add(long at, int bytes)
    {
        Bytes += bytes;
        int second = (int)(at / 1_000_000);
        while (_seconds.Count <= second)
        {
            _seconds.Add(0);
        }

        _seconds[second] += bytes;
    }
}
