"""The completion scripts of the shells. They are thin: `completion` decides everything.

Each script asks the program for the candidates at the cursor and offers them. There are three answers: words (one per
line, with a tab and a description if there is one), files and folders. The program's stderr is discarded, and if it
fails nothing is offered.
"""

from __future__ import annotations

from collections.abc import Mapping

VARIABLE = "_CLIPFORM_COMPLETE"
"""The scripts set it to the shell's name; the arguments are then the words typed so far."""

_BASH = r"""# clipform completion for bash; for ~/.bashrc:
#   eval "$(clipform completion bash)"
_clipform() {
    local IFS=$'\n' kind="" reply
    COMPREPLY=()
    while IFS= read -r reply; do
        if [[ -z $kind ]]; then kind=$reply; else COMPREPLY+=("$reply"); fi
    done < <(_CLIPFORM_COMPLETE=bash "$1" "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
    case $kind in
        files) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$2")) ;;
        folders) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$2")) ;;
    esac
}
complete -F _clipform clipform
"""

_ZSH = r"""#compdef clipform
# clipform completion for zsh; for ~/.zshrc, after compinit:
#   eval "$(clipform completion zsh)"
_clipform() {
    local -a answer values shown
    local line kind
    answer=("${(@f)$(_CLIPFORM_COMPLETE=zsh "${words[1]}" "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
    kind=$answer[1]
    case $kind in
        files) _files; return ;;
        folders) _files -/; return ;;
    esac
    for line in "${(@)answer[2,-1]}"; do
        values+=("${line%%$'\t'*}")
        shown+=("${line//$'\t'/  -- }")
    done
    (( $#values )) && compadd -l -d shown -a values
}
if [[ $funcstack[1] = _clipform ]]; then _clipform "$@"; else compdef _clipform clipform; fi
"""

_FISH = r"""# clipform completion for fish; for ~/.config/fish/config.fish:
#   clipform completion fish | source
function __clipform_complete
    set -l typed (commandline -opc)
    set -l word (commandline -ct | string replace -r '^[\'"]' '' | string unescape)
    set -l answer (env _CLIPFORM_COMPLETE=fish $typed "$word" 2>/dev/null)
    switch "$answer[1]"
        case files
            __fish_complete_path "$word"
        case folders
            __fish_complete_directories "$word"
        case words
            for line in $answer[2..-1]
                echo -- $line
            end
    end
end
complete -c clipform -f -a '(__clipform_complete)'
"""

SCRIPTS: Mapping[str, str] = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}
"""The scripts, by shell."""
