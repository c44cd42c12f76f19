using System.Globalization;
using System.Text;
using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Boots;

/// <summary>
/// What the time of one boot was spent on, in at most <see cref="MostCells"/> cells of equal length: when the boot outgrows them, two
/// become one. So a boot of any length, with any number of requests, takes less than 1 KB, and the share of each colour stays exact. Not
/// thread-safe.
/// </summary>
internal sealed class BootBar
{
    /// <summary>Cells kept of a boot; it uses at least half of them.</summary>
    public const int MostCells = 32;

    /// <summary>The whole of a text of <see cref="Write"/>.</summary>
    public const int Units = 1000;

    /// <summary>The letter of each <see cref="TimeUse"/> in <see cref="Write"/>.</summary>
    public const string Letters = "wmdjux";

    private const int Uses = 5;         // all but the time between, which is what is left

    /// <summary>
    /// Requests come in the order of their ends, nearly: a long one may begin before short ones that are noted already. Holes between what
    /// is covered are remembered for it, the newest so many.
    /// </summary>
    private const int MostHoles = 8;

    private readonly Hole[] _holes = new Hole[MostHoles];
    private float[] _spent = [];        // milliseconds, by cell and use
    private double _cellMs = 50;
    private double _coveredTo;
    private int _holeCount;

    /// <summary>Takes note of a request.</summary>
    /// <param name="fromMs">Its begin, since the boot's first request.</param>
    /// <param name="toMs">Its end.</param>
    /// <param name="use">What it brought.</param>
    public void Add(double fromMs, double toMs, TimeUse use)
    {
        fromMs = Math.Max(0, fromMs);
        for (int i = _holeCount - 1; i >= 0 && fromMs < _coveredTo; i--)
        {
            Hole hole = _holes[i];
            double from = Math.Max(fromMs, hole.From);
            double to = Math.Min(toMs, hole.To);
            if (from < to)
            {
                Spend(from, to, use);
                RemoveHole(i);
                KeepHole(hole.From, from);
                KeepHole(to, hole.To);
            }
        }

        if (toMs > _coveredTo)
        {
            Spend(Math.Max(fromMs, _coveredTo), toMs, use);
            KeepHole(_coveredTo, fromMs);
            _coveredTo = toMs;
        }
    }

    /// <summary>
    /// The bar from left to right: letters of <see cref="Letters"/>, each followed by its length, which sum up to <see cref="Units"/>:
    /// <c>m120w300u580</c>. Within a cell the order is not kept.
    /// </summary>
    /// <param name="durationMs">The boot's.</param>
    public string Write(double durationMs)
    {
        durationMs = Math.Max(durationMs, 0.001);
        var text = new StringBuilder();
        Span<double> owed = stackalloc double[Uses + 1];
        (char last, int length, int written) = ('\0', 0, 0);
        for (int cell = 0; written < Units && cell * _cellMs < durationMs; cell++)
        {
            double left = Math.Min(_cellMs, durationMs - (cell * _cellMs));
            for (int use = Uses; use >= 0; use--)
            {
                double spent = use == 0 ? left : Math.Min(left, SpentIn(cell, use));
                left -= spent;
                owed[use] += spent * Units / durationMs;
                int whole = Math.Min(Units - written, (int)(owed[use] + 0.5));
                if (whole > 0)
                {
                    owed[use] -= whole;
                    written += whole;
                    Append(Letters[use], whole);
                }
            }
        }

        Append(last == '\0' ? Letters[0] : last, Units - written);
        Append('\0', 1);
        return text.ToString();

        void Append(char letter, int more)
        {
            if (letter != last && length > 0)
            {
                text.Append(last).Append(CultureInfo.InvariantCulture, $"{length}");
                length = 0;
            }

            (last, length) = (letter, length + more);
        }
    }

    /// <summary>The parts of a text of <see cref="Write"/>: letter and length.</summary>
    public static IEnumerable<(char Letter, int Length)> Read(string bar)
    {
        for (int at = 0; at < bar.Length;)
        {
            char letter = bar[at++];
            int length = 0;
            for (; at < bar.Length && char.IsAsciiDigit(bar[at]); at++)
            {
                length = (length * 10) + bar[at] - '0';
            }

            yield return (letter, length);
        }
    }

    /// <summary>What an answer from there means.</summary>
    public static TimeUse UseOf(ByteSource source) => source switch
    {
        ByteSource.Memory => TimeUse.Memory,
        ByteSource.Disk => TimeUse.Disk,
        ByteSource.Joined => TimeUse.Joined,
        ByteSource.Upstream => TimeUse.Upstream,
        _ => TimeUse.Nothing,
    };

    private double SpentIn(int cell, int use)
    {
        int at = (cell * Uses) + use - 1;
        return at < _spent.Length ? _spent[at] : 0;
    }

    private void Spend(double from, double to, TimeUse use)
    {
        while (to > _cellMs * MostCells)
        {
            Halve();
        }

        int last = Math.Min(MostCells - 1, (int)(to / _cellMs));
        if ((last + 1) * Uses > _spent.Length)
        {
            Array.Resize(ref _spent, Math.Min(MostCells, Math.Max(last + 1, _spent.Length * 2 / Uses)) * Uses);
        }

        for (int cell = (int)(from / _cellMs); cell <= last; cell++)
        {
            double part = Math.Min(to, (cell + 1) * _cellMs) - Math.Max(from, cell * _cellMs);
            _spent[(cell * Uses) + (int)use - 1] += (float)Math.Max(0, part);
        }
    }

    private void Halve()
    {
        _cellMs *= 2;
        for (int at = 0; at < _spent.Length; at++)
        {
            (int cell, int use) = Math.DivRem(at, Uses);
            int second = (((2 * cell) + 1) * Uses) + use;
            _spent[at] = (2 * cell * Uses) + use < _spent.Length ? _spent[(2 * cell * Uses) + use] : 0;
            _spent[at] += second < _spent.Length ? _spent[second] : 0;
        }
    }

    private void RemoveHole(int at)
    {
        _holeCount--;
        Array.Copy(_holes, at + 1, _holes, at, _holeCount - at);
    }

    /// <summary>Remembers a hole; the oldest goes for it when there are too many.</summary>
    private void KeepHole(double from, double to)
    {
        if (to <= from)
        {
            return;
        }

        if (_holeCount == MostHoles)
        {
            RemoveHole(0);
        }

        _holes[_holeCount++] = new Hole((float)from, (float)to);
    }

    /// <summary>A time that nothing covers yet, in milliseconds.</summary>
    private readonly record struct Hole(float From, float To);
}
