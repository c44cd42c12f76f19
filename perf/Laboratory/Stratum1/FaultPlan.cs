namespace Breakwater.Laboratory.Stratum1;

/// <summary>
/// Which answers go wrong: a share of each fault, drawn by seed, object and how often it was asked for. Independent of timing.
/// </summary>
/// <param name="Seed">Same seed, same faults.</param>
/// <param name="Shares">Share of all answers, 0 to 1, by fault; their sum is at most 1.</param>
internal sealed record FaultPlan(int Seed, IReadOnlyDictionary<Fault, double> Shares)
{
    /// <summary>No faults.</summary>
    public static FaultPlan Nothing { get; } = new(0, new Dictionary<Fault, double>());

    /// <summary>Reads <c>flip=0.01,stall=0.002</c>.</summary>
    /// <exception cref="FormatException">An unknown fault or no number.</exception>
    public static FaultPlan Parse(int seed, string shares)
    {
        var read = new Dictionary<Fault, double>();
        foreach (string part in shares.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            string[] pair = part.Split('=');
            if (pair.Length != 2 || !Enum.TryParse(pair[0], ignoreCase: true, out Fault fault)
                || !double.TryParse(pair[1], System.Globalization.CultureInfo.InvariantCulture, out double share))
            {
                throw new FormatException(
                    $"'{part}' is no fault; write one of {string.Join(", ", Enum.GetNames<Fault>())} as name=share, e.g. flip=0.01");
            }

            read[fault] = share;
        }

        return new FaultPlan(seed, read);
    }

    /// <summary>The fault of the n-th answer for an object.</summary>
    public Fault Choose(int objectIndex, int occurrence)
    {
        if (Shares.Count == 0)
        {
            return Fault.None;
        }

        double draw = Draw(objectIndex, occurrence);
        foreach ((Fault fault, double share) in Shares)
        {
            if ((draw -= share) < 0)
            {
                return fault;
            }
        }

        return Fault.None;
    }

    /// <summary>Uniform in [0, 1): SplitMix64 of the three numbers.</summary>
    public double Draw(int objectIndex, int occurrence)
    {
        ulong x = ((ulong)(uint)Seed << 32) ^ ((ulong)(uint)objectIndex << 12) ^ (uint)occurrence;
        x += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return ((x ^ (x >> 31)) >> 11) * (1.0 / (1UL << 53));
    }
}
