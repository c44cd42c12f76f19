namespace Breakwater.Proxy.Settings;

/// <summary>
/// A settings file as a source of configuration, which knows where each value stands and does not throw: what is wrong with it is kept.
/// </summary>
/// <param name="path">Its path.</param>
/// <param name="isOptional">May it be missing?</param>
internal sealed class SettingsFileProvider(string path, bool isOptional) : ConfigurationProvider, IPlacedSource
{
    /// <summary>Its path.</summary>
    public string Path => path;

    /// <summary>What was read last.</summary>
    public PlacedJson Content { get; private set; } = new();

    /// <inheritdoc/>
    public SettingsPlace? PlaceOf(string key) => Content.Places.GetValueOrDefault(key);

    /// <inheritdoc/>
    public override void Load()
    {
        Content = Read();
        Data = Content.Values;
    }

    private PlacedJson Read()
    {
        try
        {
            return PlacedJsonReader.Read(path, File.ReadAllBytes(path));
        }
        catch (Exception e) when (isOptional && e is (FileNotFoundException or DirectoryNotFoundException))
        {
            return new PlacedJson();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var unread = new PlacedJson { IsBroken = true };
            unread.Problems.Add(
                new SettingsMistake($"{e.Message} The user of this process must be able to read it.", new SettingsPlace(path)));
            return unread;
        }
    }
}
