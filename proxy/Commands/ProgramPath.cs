namespace Breakwater.Proxy.Commands;

/// <summary>Where another program is.</summary>
internal static class ProgramPath
{
    /// <summary>Beside this program, else in PATH. Null: nowhere.</summary>
    public static string? Find(string name)
    {
        string path = Environment.GetEnvironmentVariable("PATH") ?? "";
        return Find(name, [AppContext.BaseDirectory, .. path.Split(':', StringSplitOptions.RemoveEmptyEntries)]);
    }

    /// <summary>In the first of the directories that has it. Null: in none.</summary>
    public static string? Find(string name, IEnumerable<string> directories) =>
        directories.Select(directory => Path.Combine(directory, name)).FirstOrDefault(File.Exists);
}
