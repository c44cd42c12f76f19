namespace Breakwater.Mutation;

/// <summary>
/// A seeded choice of candidates: every room has its share, and at least a few. The same seed on the same tree draws the same.
/// </summary>
internal static class Draw
{
    private const int FewestOfARoom = 3;

    /// <summary>Rooms of a tree and their candidates.</summary>
    public static SortedDictionary<string, List<Candidate>> Rooms(string root)
    {
        SortedDictionary<string, List<Candidate>> rooms = new(StringComparer.Ordinal);
        foreach (string top in (string[])["proxy", "cachestore", "repositories", "deployment/microvm/client"])
        {
            foreach (string path
                in Directory.EnumerateFiles(Path.Combine(root, top), "*.cs", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
            {
                string file = Path.GetRelativePath(root, path).Replace('\\', '/');
                string[] parts = file.Split('/');
                if (parts.Contains("obj") || parts.Contains("bin"))
                {
                    continue;
                }

                string room = parts.Length > 2 ? $"{parts[0]}/{parts[1]}" : parts[0];
                IReadOnlyList<Candidate> found = CandidateFinder.In(room, file, File.ReadAllText(path));
                if (found.Count > 0)
                {
                    (rooms.TryGetValue(room, out List<Candidate>? list) ? list : rooms[room] = []).AddRange(found);
                }
            }
        }

        return rooms;
    }

    /// <summary>How many each room has of a draw.</summary>
    public static Dictionary<string, int> Shares(IReadOnlyDictionary<string, List<Candidate>> rooms, int count)
    {
        // By the root of its size: large rooms have more, and the small ones enough to be judged.
        double all = rooms.Values.Sum(c => Math.Sqrt(c.Count));
        Dictionary<string, int> shares = rooms.ToDictionary(
            r => r.Key, r => Math.Min(r.Value.Count, Math.Max(FewestOfARoom, (int)(count * Math.Sqrt(r.Value.Count) / all))),
            StringComparer.Ordinal);
        foreach (string room in rooms.OrderByDescending(r => r.Value.Count).Select(r => r.Key))
        {
            int missing = count - shares.Values.Sum();
            shares[room] = Math.Clamp(shares[room] + missing, Math.Min(FewestOfARoom, rooms[room].Count), rooms[room].Count);
        }

        return shares;
    }

    /// <summary>The candidates of a room in the order in which they are drawn; no two overlap.</summary>
    public static List<Candidate> Order(IEnumerable<Candidate> room, int seed)
    {
        List<Candidate> all = [.. room];
        int hash = all.Count == 0 ? 0 : all[0].Room.Aggregate(17, (sum, c) => unchecked((sum * 31) + c));
        Random random = new(unchecked((seed * 486187739) + hash));
        Candidate[] shuffled = [.. all];
        random.Shuffle(shuffled);
        List<Candidate> chosen = [];
        foreach (Candidate candidate in shuffled)
        {
            if (!chosen.Exists(c => c.File == candidate.File && c.Start < candidate.Start + candidate.Length
                && candidate.Start < c.Start + c.Length))
            {
                chosen.Add(candidate);
            }
        }

        return chosen;
    }
}
