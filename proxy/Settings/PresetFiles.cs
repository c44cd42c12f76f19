using System.Collections.Frozen;
using System.Reflection;

namespace Breakwater.Proxy.Settings;

/// <summary>The presets: repositories and Stratum 1s of communities, as those publish them, inside the program.</summary>
internal static class PresetFiles
{
    private const string Folder = "preset/";

    private static readonly FrozenDictionary<string, PlacedJson> s_all = Load();

    /// <summary>In force when <c>Presets</c> is not set.</summary>
    public static readonly string[] ByDefault = ["cern", "egi", "osg"];

    /// <summary>Names of all.</summary>
    public static IEnumerable<string> Names => s_all.Keys.Order(StringComparer.Ordinal);

    /// <summary>The values of a preset; null: there is none of that name.</summary>
    public static IReadOnlyDictionary<string, string?>? Find(string name) => s_all.GetValueOrDefault(name)?.Values;

    private static FrozenDictionary<string, PlacedJson> Load()
    {
        Assembly assembly = typeof(PresetFiles).Assembly;
        return assembly.GetManifestResourceNames().Where(name => name.StartsWith(Folder, StringComparison.Ordinal)).ToFrozenDictionary(
            name => Path.GetFileNameWithoutExtension(name[Folder.Length..]),
            name =>
            {
                using Stream stream = assembly.GetManifestResourceStream(name)!;
                byte[] text = new byte[stream.Length];
                stream.ReadExactly(text);
                return PlacedJsonReader.Read(name, text);
            },
            StringComparer.OrdinalIgnoreCase);
    }
}
