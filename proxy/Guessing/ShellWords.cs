using System.Buffers;
using System.Collections.Frozen;

namespace Breakwater.Proxy.Guessing;

/// <summary>
/// Finds in the text of a shell's script the commands that it calls by name or absolute path, outside of its functions: a function may
/// never be called. It knows quotes, comments and texts behind <c>&lt;&lt;</c>, and is no shell: what it takes for a command need not be
/// one. Pure; it reads each character once.
/// </summary>
internal ref struct ShellWords
{
    private const int MaxWords = 64;
    private const int MaxWordChars = 200;

    /// <summary>Words behind which a command follows.</summary>
    private static readonly FrozenSet<string> s_before = FrozenSet.ToFrozenSet(
        ["if", "then", "else", "elif", "while", "until", "do", "!", "{", "time", "exec", "command", "eval", "nohup", "env"]);

    /// <summary>Words of the shell, also where there is a program of that name.</summary>
    private static readonly FrozenSet<string> s_own = FrozenSet.ToFrozenSet(
    [
        "alias", "bg", "break", "case", "cd", "continue", "declare", "done", "echo", "esac", "exit", "export", "false", "fg", "fi",
        "for", "getopts", "hash", "in", "jobs", "kill", "let", "local", "printf", "pwd", "read", "readonly", "return",
        "select", "set", "shift", "shopt", "source", "test", "times", "trap", "true", "type", "typeset", "ulimit", "umask", "unalias",
        "unset", "wait", "}",
    ]);

    private static readonly SearchValues<char> s_ofNames =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.+");

    private static ReadOnlySpan<char> EndsOfWords => " \t\r\n;|&()<>`";

    private readonly ReadOnlySpan<char> _text;
    private readonly List<string> _words = [];
    private int _at;
    private int _parentheses;
    private bool _isCommand = true; // is the next word one?
    private bool _isFunction;       // is the next word the name of one?
    private string? _endOfText;     // of the text behind <<, which begins with the next line

    private ShellWords(ReadOnlySpan<char> text) => _text = text;

    /// <summary>Commands, each once, in their order; 64 at most.</summary>
    public static List<string> Of(ReadOnlySpan<char> text)
    {
        var words = new ShellWords(text);
        while (words._at < text.Length && words._words.Count < MaxWords)
        {
            words.Step();
        }

        return words._words;
    }

    private void Step()
    {
        switch (_text[_at])
        {
            case '\n':
                _at++;
                _isCommand = true;
                PassText();
                break;
            case ' ' or '\t' or '\r':
                _at++;
                break;
            case '\\' when _at + 1 < _text.Length && _text[_at + 1] == '\n':
                _at += 2; // the line goes on
                break;
            case '(' when _text[_at..].StartsWith("(("):
                PassTo(_text[_at..].IndexOf("))"), 2);
                break;
            case '#':
                PassTo(_text[_at..].IndexOf('\n'));
                break;
            case ';' or '|' or '&' or '`':
                _at++;
                _isCommand = true;
                break;
            case '(':
                _at++;
                _parentheses++;
                _isCommand = true;
                break;
            case ')':
                _at++;
                _isCommand = _parentheses == 0; // it closes a pattern of a case
                _parentheses = Math.Max(0, _parentheses - 1);
                break;
            case '<' or '>':
                PassRedirection();
                break;
            default:
                TakeWord();
                break;
        }
    }

    private void TakeWord()
    {
        int start = _at;
        bool isPlain = true;
        while (_at < _text.Length && !EndsOfWords.Contains(_text[_at]))
        {
            char c = _text[_at];
            isPlain &= c is not ('\'' or '"' or '$' or '\\');
            switch (c)
            {
                case '\'':
                    PassTo(_text[(_at + 1)..].IndexOf('\''), 2);
                    break;
                case '"':
                    PassQuoted();
                    break;
                case '\\':
                    _at += 2;
                    break;
                case '$' when _text[_at..].StartsWith("${"):
                    PassTo(_text[_at..].IndexOf('}'), 1);
                    break;
                case '$' when _text[_at..].StartsWith("$(("):
                    PassTo(_text[_at..].IndexOf("))"), 2);
                    break;
                case '$' when _text[_at..].StartsWith("$("):
                    _at++;
                    _isCommand = true; // Step goes on behind the parenthesis
                    return;
                default:
                    _at++;
                    break;
            }
        }

        _at = Math.Min(_at, _text.Length);
        if (_isCommand)
        {
            Judge(_text[start.._at], isPlain);
        }
    }

    /// <summary>A word where a command may be.</summary>
    private void Judge(ReadOnlySpan<char> word, bool isPlain)
    {
        int assigned = word.IndexOf('=');
        if (assigned > 0 && IsName(word[..assigned]))
        {
            return; // the command follows
        }

        string text = isPlain && word.Length <= MaxWordChars ? word.ToString() : "";
        if (_isFunction || _text[_at..].StartsWith("()") || _text[_at..].StartsWith(" ()"))
        {
            PassFunction();
            return;
        }

        _isFunction = text == "function";
        if (_isFunction)
        {
            return; // its name follows
        }

        _isCommand = s_before.Contains(text);
        bool isPattern = _parentheses == 0 && _at < _text.Length && _text[_at] == ')';
        if (!_isCommand && !isPattern && (text.StartsWith('/') || IsName(text)) && !s_own.Contains(text) && !_words.Contains(text))
        {
            _words.Add(text);
        }
    }

    /// <summary>Goes on behind a function's end: this line, or the first brace that stands as far in as the function's own line.</summary>
    private void PassFunction()
    {
        _isFunction = false;
        int line = _text[_at..].IndexOf('\n');
        if (line >= 0 && !_text.Slice(_at, line).TrimEnd().EndsWith("}"))
        {
            int begin = _text[.._at].LastIndexOf('\n') + 1;
            ReadOnlySpan<char> indent = _text[begin..(begin + _text[begin..].IndexOfAnyExcept(' ', '\t'))];
            string end = $"\n{indent}}}";
            line = _text[_at..].IndexOf(end) is >= 0 and var found ? found + end.Length : -1;
        }

        PassTo(line);
        _isCommand = true;
    }

    /// <summary>What is in double quotes is passed over, also commands.</summary>
    private void PassQuoted()
    {
        _at++;
        while (_at < _text.Length && _text[_at] != '"')
        {
            _at += _text[_at] == '\\' ? 2 : 1;
        }

        _at++;
    }

    private void PassRedirection()
    {
        bool isText = _text[_at..].StartsWith("<<") && !_text[_at..].StartsWith("<<<");
        while (_at < _text.Length && _text[_at] is '<' or '>' or '&' or '-' or ' ')
        {
            _at++;
        }

        bool wasCommand = _isCommand;
        int start = _at;
        _isCommand = false;
        if (_at < _text.Length && _text[_at] is not ('\n' or '(' or ';' or '|'))
        {
            TakeWord();
            _endOfText = isText ? _text[start..Math.Min(_at, _text.Length)].Trim("'\"\\").ToString() : _endOfText;
        }

        _isCommand |= wasCommand;
    }

    /// <summary>Passes over the text that was announced by <c>&lt;&lt;</c>, if there is one.</summary>
    private void PassText()
    {
        while (_endOfText is not null && _at < _text.Length)
        {
            int end = _text[_at..].IndexOf('\n');
            ReadOnlySpan<char> line = end < 0 ? _text[_at..] : _text.Slice(_at, end);
            PassTo(end, 1);
            _endOfText = line.TrimStart('\t').SequenceEqual(_endOfText) ? null : _endOfText;
        }
    }

    /// <summary>Goes on behind what was found; at the end, if it was not.</summary>
    private void PassTo(int found, int further = 0) => _at = found < 0 ? _text.Length : Math.Min(_text.Length, _at + found + further);

    private static bool IsName(ReadOnlySpan<char> word) => !word.IsEmpty && !word.ContainsAnyExcept(s_ofNames);
}
